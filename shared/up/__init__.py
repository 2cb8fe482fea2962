"""`ocrelay up`: the processes of one machine, started together and watched."""
