"""The pages of those who run the service: models, API keys, webhooks, what was sent, the audit trail, the state."""
