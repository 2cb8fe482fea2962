"""The pages of those who run the service: models, API keys, webhooks and what was sent."""
