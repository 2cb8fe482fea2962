"""The routes and commands of the audit trail."""
