"""The sub-commands `webhooks list`, `create`, `ping` and `deliveries`."""

from __future__ import annotations

import json

import click

from api.client.http import Client
from api.client.server_option import with_server
from shared.webhooks.record import DeliveryState

ENDPOINTS = "/v1/webhook-endpoints"


@click.group()
def webhooks() -> None:
    """Look after webhook endpoints and see what was delivered."""


@webhooks.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@with_server
def list_endpoints(client: Client, as_json: bool) -> None:
    """List the endpoints: id, whether enabled, URL, event types."""
    for endpoint in client.call("GET", ENDPOINTS)["endpoints"]:
        if as_json:
            click.echo(json.dumps(endpoint, ensure_ascii=False))
            continue
        state = "enabled" if endpoint["enabled"] else f"disabled ({endpoint['disabled_reason']})"
        events = ", ".join(endpoint["event_types"]) or "all events"
        click.echo(f"{endpoint['id']}  {state}  {endpoint['url'] or 'the URLs of single jobs'}  {events}")


@webhooks.command()
@click.argument("url")
@click.option("--event", "event_types", multiple=True, help="Only this event type; may be given several times.")
@click.option("--description", help="Your own words.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@with_server
def create(client: Client, url: str, event_types: tuple[str, ...], description: str | None, as_json: bool) -> None:
    """Make an endpoint for URL; prints its id and its secret."""
    wanted = {"url": url, "event_types": list(event_types), "description": description}
    made = client.call("POST", ENDPOINTS, wanted)
    click.echo(json.dumps(made, ensure_ascii=False) if as_json else f"{made['id']}\n{made['secret']}")


@webhooks.command()
@click.argument("endpoint_id")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@with_server
def ping(client: Client, endpoint_id: str, as_json: bool) -> None:
    """Send a test message; prints the path of its delivery."""
    sent = client.call("POST", f"{ENDPOINTS}/{endpoint_id}/ping")
    click.echo(json.dumps(sent, ensure_ascii=False) if as_json else f"/v1/deliveries/{sent['id']}")


@webhooks.command()
@click.option("--state", type=click.Choice([str(state) for state in DeliveryState]))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@with_server
def deliveries(client: Client, state: str | None, as_json: bool) -> None:
    """List the last deliveries, newest first."""
    query = f"?state={state}" if state else ""
    for delivery in client.call("GET", f"/v1/deliveries{query}")["deliveries"]:
        if as_json:
            click.echo(json.dumps(delivery, ensure_ascii=False))
        else:
            told = delivery["job_id"] or "-"
            click.echo(
                f"{delivery['id']}  {delivery['state']}  attempt {delivery['attempt']}  "
                f"{delivery['event_type']}  {told}  {delivery['url']}"
            )
