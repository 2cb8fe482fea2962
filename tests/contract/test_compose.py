"""docker-compose.yml and the Dockerfile name only what exists, publish one port, and hold no secret."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from shared.cli import main
from shared.settings import PREFIX, Settings, is_loopback
from tests import services as real

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if "build" in service)
LONG_RUNNING = sorted(name for name, service in SERVICES.items() if service.get("restart") != "no")
FOREIGN_PROGRAMS = {"redis": "valkey-server"}
INTERPOLATION = re.compile(r"\$\{([A-Z_]+)(:[-?])?([^}]*)\}")


def dockerfile() -> list[tuple[str, str]]:
    """Instructions as (name, rest), continued lines joined."""
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def check_ocrelay(arguments: list[str]) -> None:
    """Fail unless `ocrelay` understands the arguments."""
    name, *rest = arguments
    command = main.get_command(click.Context(main), name)
    assert command is not None, f"ocrelay {name}"
    command.make_parser(click.Context(command)).parse_args(list(rest))


def test_there_is_a_service_for_each_piece() -> None:
    assert set(SERVICES) == {"nginx", "api", "worker", "sweeper", "migrate", "postgres", "redis"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_the_command_of_a_service_exists(name: str) -> None:
    command = SERVICES[name].get("command")
    if name in OURS:
        check_ocrelay(command)
    elif command is not None:
        assert command[0] == FOREIGN_PROGRAMS[name]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_variable_of_ours_is_a_setting(name: str) -> None:
    given = {variable for variable in SERVICES[name].get("environment", {}) if variable.startswith(PREFIX)}
    assert given <= {PREFIX + field.upper() for field in Settings.model_fields}


@pytest.mark.parametrize("name", OURS)
def test_the_settings_of_a_service_are_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in SERVICES[name]["environment"].items():
        monkeypatch.setenv(variable, INTERPOLATION.sub(lambda found: found[3] if found[2] == ":-" else "x", str(value)))
    settings = Settings.load()
    settings.check_bind()
    assert settings.database.startswith("postgresql://")
    assert settings.redis_url is not None


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_mounted_path_exists_and_each_volume_is_declared(name: str) -> None:
    for mount in SERVICES[name].get("volumes", []):
        source = mount.split(":")[0]
        assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], mount


def test_one_port_is_published_and_only_on_this_machine() -> None:
    published = [(name, port) for name, service in SERVICES.items() for port in service.get("ports", [])]
    assert [name for name, _ in published] == ["nginx"]
    address = INTERPOLATION.sub(lambda found: found[3], published[0][1])
    assert is_loopback(address.split(":")[0])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_holds_no_secret(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        if re.search("PASSWORD|SECRET|TOKEN|KEY$", variable):
            assert re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", value), (
                f"{variable} must come from outside, without a default"
            )
        for password in re.findall(r"://[^:/@\s]*:((?:\$\{[^}]*\}|[^@/])+)@", str(value)):
            assert re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", password), f"{variable} holds a password"


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_a_service_that_stays_has_a_health_check(name: str) -> None:
    how, program, *arguments = SERVICES[name]["healthcheck"]["test"]
    assert how == "CMD"
    if program == "ocrelay":
        check_ocrelay(arguments)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_waits_only_for_what_can_happen(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        condition = wait["condition"]
        assert condition != "service_healthy" or "healthcheck" in SERVICES[other], other
        assert condition != "service_completed_successfully" or other not in LONG_RUNNING, other


def test_the_broker_keeps_its_messages_and_throws_none_away() -> None:
    command = SERVICES["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"


def test_only_the_proxy_that_states_the_client_is_believed() -> None:
    assert (
        SERVICES["api"]["environment"]["OCRELAY_TRUSTED_PROXIES"]
        == SERVICES["nginx"]["networks"]["inside"]["ipv4_address"]
    )
    assert re.search(r"X-Forwarded-For \$remote_addr;", (ROOT / "api/nginx.conf").read_text("utf-8"))


def test_the_proxy_takes_the_largest_upload_and_waits_for_the_longest_answer() -> None:
    conf = (ROOT / "api/nginx.conf").read_text("utf-8")
    settings = Settings.model_fields
    megabytes = int(re.findall(r"client_max_body_size (\d+)m;", conf)[0])
    seconds = int(re.findall(r"proxy_read_timeout (\d+)s;", conf)[0])
    assert megabytes * 1024 * 1024 > settings["max_document_bytes"].default * 4 / 3
    assert seconds > settings["wait_limit_seconds"].default


def test_the_proxy_asks_dockers_names_again_and_again_for_the_api() -> None:
    """An upstream that is named outright is resolved once: 502 for ever after the API got another address."""
    conf = (ROOT / "api/nginx.conf").read_text("utf-8")
    assert re.search(r"^\s+resolver 127\.0\.0\.11 valid=\d+s", conf, re.MULTILINE)
    variable, name, port = re.findall(r"set (\$\w+) http://(\w+):(\d+);", conf)[0]
    assert name in SERVICES and SERVICES[name]["environment"]["OCRELAY_PORT"] == port
    assert re.findall(r"proxy_pass (.*);", conf) == [variable]
    assert not re.search(r"^upstream", conf, re.MULTILINE)


def test_each_file_that_the_image_takes_in_exists_and_is_not_ignored() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").split() if line.startswith("!")}
    for name, rest in dockerfile():
        if name == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert source in allowed, source


def test_the_image_starts_a_script_of_ours_with_a_sub_command() -> None:
    instructions = dict(dockerfile())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert yaml.safe_load(instructions["ENTRYPOINT"]) == list(project["scripts"])
    check_ocrelay(yaml.safe_load(instructions["CMD"]))
    assert instructions["USER"] not in ("root", "0")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_cannot_write_outside_its_volumes_nor_gain_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged") and service.get("network_mode") != "host"
    assert not {"pid", "ipc", "devices", "userns_mode"} & set(service)
    assert "/tmp" in service["tmpfs"]
    assert not any("docker.sock" in mount for mount in service.get("volumes", []))


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(OURS) - {"nginx"}))
def test_a_program_of_others_does_not_run_as_root(name: str) -> None:
    """nginx's image is the unprivileged one; the user of ours stands in the Dockerfile."""
    assert SERVICES[name]["user"] not in ("root", "0")


def test_nginx_takes_slow_requests_in_before_it_troubles_the_api() -> None:
    conf = (ROOT / "api/nginx.conf").read_text("utf-8")
    assert "unprivileged" in SERVICES["nginx"]["image"]
    assert "proxy_request_buffering off" not in conf
    assert int(re.findall(r"client_body_timeout (\d+)s;", conf)[0]) <= 30
    assert int(re.findall(r"client_header_timeout (\d+)s;", conf)[0]) <= 30
    assert re.search(r"limit_conn\s+\w+ \d+;", conf)


def compose_program() -> list[str]:
    """The command line of whichever compose is here; it needs no engine to check a file."""
    if shutil.which("docker"):
        asked = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if asked.returncode == 0:
            return ["docker", "compose"]
    if not shutil.which("docker-compose"):
        real.unavailable("docker compose is not installed: apt-get install docker-compose")
    return ["docker-compose"]


def check_with_compose(variables: Path) -> subprocess.CompletedProcess[str]:
    """Let compose check the file with the variables of a file; those of a developer do not count."""
    command = [*compose_program(), "--env-file", str(variables), "-f", "docker-compose.yml", "config", "-q"]
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_compose_accepts_the_file(tmp_path: Path) -> None:
    variables = tmp_path / "variables"
    variables.write_text("POSTGRES_PASSWORD=x\n")
    checked = check_with_compose(variables)
    assert checked.returncode == 0, checked.stderr


def test_compose_refuses_to_start_without_a_password(tmp_path: Path) -> None:
    variables = tmp_path / "variables"
    variables.write_text("")
    checked = check_with_compose(variables)
    assert checked.returncode != 0
    assert "POSTGRES_PASSWORD" in checked.stderr
