"""From a message to the end of a job: children, claims, leases."""
