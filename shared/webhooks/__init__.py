"""Who is told of the end of a job: endpoints, deliveries, and the addresses that may be called."""
