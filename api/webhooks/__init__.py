"""The routes and commands of webhook endpoints and deliveries."""
