"""The contract between the intake process and the working process: jobs, audit, queue, settings, errors."""
