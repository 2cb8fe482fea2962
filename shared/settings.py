"""Every setting of every process. The only module that reads the environment."""

from __future__ import annotations

import base64
import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared import errors
from shared.limits import Limits
from shared.options import DEFAULT_QUALITY, QualityName

if TYPE_CHECKING:
    from limits import RateLimitItem

PREFIX = "OCRELAY_"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Settings(BaseSettings):
    """What an operator can choose. Each field is the environment variable ``OCRELAY_`` + its name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    data_dir: Path = Field(Path("ocrelay-data"), description="Folder of the uploads, the SQLite file and the broker.")
    database_url: str = Field("", description="sqlite:///FILE or postgresql://…; empty: a SQLite file in data_dir.")
    redis_url: str | None = Field(None, description="Redis or Valkey >= 6.2 by URL; unset: the embedded broker.")
    host: str = Field("127.0.0.1", description="Address on which the API listens.")
    port: int = Field(8000, ge=0, le=65535, description="Port on which the API listens.")
    allow_remote_without_keys: bool = Field(
        False, description="Let the API listen beyond loopback although no API keys guard it."
    )
    workers: int = Field(0, ge=0, le=1024, description="Worker children on this machine; 0: one for each core.")
    trusted_proxies: str = Field(
        "", description="Addresses or CIDR blocks of our own proxies, with commas; they say who the client is."
    )
    trusted_proxy_header: Literal["X-Forwarded-For", "Forwarded"] = Field(
        "X-Forwarded-For", description="The header in which our own proxies name the client; the other one is ignored."
    )
    api_processes: int = Field(2, ge=1, le=256, description="Processes of the API.")
    api_threads: int = Field(16, ge=1, le=1024, description="Threads in each process of the API.")
    slow_client_seconds: float = Field(
        20, gt=0, description="Time after which a client that stands still while it sends a request is given up."
    )

    client_ip_bits_v4: int = Field(32, ge=0, le=32, description="Bits of an IPv4 address that are stored and logged.")
    client_ip_bits_v6: int = Field(128, ge=0, le=128, description="Bits of an IPv6 address that are stored and logged.")
    wrong_keys_per_minute: int = Field(
        30, ge=1, description="Wrong API keys of one address, after which its further ones are not looked at."
    )
    submit_limit_per_key: str = Field("", description="Submissions of one API key, like 10/minute;100/hour.")
    submit_limit_per_ip: str = Field("", description="Submissions of one address, like 10/minute;100/hour.")
    other_limit_per_key: str = Field("", description="Other requests of one API key, like 20/second.")
    other_limit_per_ip: str = Field("", description="Other requests of one address, like 20/second.")
    max_open_jobs_per_key: int = Field(0, ge=0, description="Unfinished jobs of one API key; 0: any number.")
    metrics_access: Literal["loopback", "admin", "public"] = Field(
        "loopback", description="Who may read /metrics without a key of the scope admin: this machine, nobody, anybody."
    )
    session_idle_seconds: float = Field(
        28_800, gt=0, description="Time after which somebody who does nothing on the pages is signed out."
    )
    session_seconds: float = Field(604_800, gt=0, description="Time after which everybody is signed out of the pages.")
    api_key: str = Field("", repr=False, description="API key that the command line sends to a server.")
    server: str = Field("", description="URL of the server that the command line asks.")

    max_document_bytes: int = Field(10 * 1024 * 1024, ge=1, description="Largest upload, in bytes.")
    max_pixels: int = Field(40_000_000, ge=1, description="Most pixels of one page.")
    max_side: int = Field(30_000, ge=1, description="Longest side of one page, in pixels.")
    max_pages: int = Field(1000, ge=1, description="Most pages of one document.")
    backlog_limit: int = Field(10_000, ge=0, description="Waiting jobs above which a submission is refused.")
    no_worker_seconds: float = Field(
        600, ge=0, description="Without any worker, a submission is refused once a job has waited so long; 0: never."
    )
    max_batch_documents: int = Field(100, ge=1, le=1000, description="Most documents of one batch.")
    max_batch_bytes: int = Field(60 * 1024 * 1024, ge=1, description="Largest batch, in bytes.")
    idempotency_seconds: float = Field(86_400, gt=0, description="Age at which an Idempotency-Key is forgotten.")
    wait_limit_seconds: float = Field(60, ge=0, description="Longest time that `Prefer: wait` may hold a request.")
    sync_wait_seconds: float = Field(30, ge=0, description="Longest time that POST /api/ocr holds a request.")

    lease_seconds: float = Field(30, gt=0, description="Time after which a silent worker loses its job.")
    max_attempts: int = Field(4, ge=1, le=100, description="Attempts after which a job fails for good.")
    job_time_limit_seconds: float = Field(600, gt=0, description="Time after which a worker child is killed.")
    sweep_seconds: float = Field(1, gt=0, description="Pause between two rounds of the sweeper.")
    stranded_seconds: float = Field(
        3, gt=0, description="Age at which a published job counts as lost when the broker holds no message."
    )
    priority_wait_seconds: float = Field(
        600, gt=0, description="Age at which a waiting job of a lower priority may go before higher ones."
    )
    pool_start_method: Literal["fork", "spawn"] = Field("fork", description="How worker children start.")
    quality_admission: Literal["off", "warn", "refuse"] = Field(
        "warn", description="What becomes of images that are too poor to be read."
    )
    line_finder: Literal["learned", "classical"] = Field("learned", description="What finds the lines of a page.")
    model: str = Field("", description="Recognition model: a name or a path; empty: the one that is shipped.")
    models: str = Field(
        "crnn-zh-en,ppocr-v6,ppocr-v4",
        description="Models that may be used, with commas; the first installed one beside `model` is the stronger one.",
    )
    quality: QualityName = Field(
        DEFAULT_QUALITY,
        description="Who reads where the sender does not say: the fast model, both, or the stronger one.",
    )
    models_dir: Path | None = Field(
        None, description="Folder of installed models; unset: in the environment of Python."
    )

    keep_uploads_seconds: float = Field(0, ge=0, description="Age at which an upload is deleted; 0: kept.")
    keep_results_seconds: float = Field(0, ge=0, description="Age at which an ended job is deleted; 0: kept.")
    keep_audit_seconds: float = Field(0, ge=0, description="Age at which an audit event is deleted; 0: kept.")
    secrets_key: str = Field(
        "",
        repr=False,
        description="Key that encrypts webhook secrets: 32 bytes in base64; empty: the one in data_dir. With commas, "
        "older ones after it.",
    )
    public_url: str = Field(
        "", description="URL under which clients reach this server, for links in webhooks; empty: host and port."
    )
    webhook_allowed_networks: str = Field(
        "", description="Addresses or CIDR blocks with commas that webhooks may reach although they are not public."
    )
    webhook_timeout_seconds: float = Field(15, gt=0, le=60, description="Longest time of one attempt to deliver.")
    webhook_concurrency: int = Field(4, ge=1, le=100, description="Attempts at once to the same endpoint.")
    webhook_threads: int = Field(32, ge=1, le=1000, description="Attempts at once of one sweeper.")
    webhook_rotation_hours: float = Field(
        24, ge=0, le=24 * 365, description="Time for which an old secret goes on signing after it was rotated."
    )
    webhook_retention_days: float = Field(
        90, ge=0, description="Age at which a delivery that has ended leaves the log; 0: never."
    )

    log_format: Literal["console", "json"] = Field("console", description="How log lines look.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged.")
    otel: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Traces by OpenTelemetry; auto: where OTEL_EXPORTER_OTLP_ENDPOINT is set and it is installed.",
    )
    node: str = Field("", description="Name of this machine's group of workers; empty: host name and process id.")

    @classmethod
    def load(cls, **given: Any) -> Self:
        """Read the settings from the environment; what is given here wins over it.

        Raises:
            InvalidConfiguration: A value is not allowed; the message names the variable and the reason.
        """
        try:
            return cls(**given)
        except ValidationError as error:
            problems = [f"{PREFIX}{'_'.join(map(str, p['loc'])).upper()}: {p['msg']}" for p in error.errors()]
            raise errors.InvalidConfiguration("; ".join(problems) + ". Correct it and start again.") from None

    @field_validator("data_dir", "models_dir")
    @classmethod
    def _absolute(cls, folder: Path | None) -> Path | None:
        return folder and folder.expanduser().absolute()

    @field_validator("database_url")
    @classmethod
    def _strip(cls, url: str) -> str:
        return url.strip()

    @field_validator("public_url")
    @classmethod
    def _without_slash(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return url.rstrip("/")

    @field_validator("trusted_proxies", "webhook_allowed_networks")
    @classmethod
    def _networks(cls, names: str) -> str:
        _parse_networks(names)
        return names

    @field_validator("submit_limit_per_key", "submit_limit_per_ip", "other_limit_per_key", "other_limit_per_ip")
    @classmethod
    def _limits(cls, text: str) -> str:
        parse_limits(text)
        return text

    @field_validator("secrets_key")
    @classmethod
    def _secrets(cls, text: str) -> str:
        _parse_keys(text)
        return text

    @property
    def secrets_keys(self) -> list[bytes]:
        """The keys that open webhook secrets; the first one seals."""
        return _parse_keys(self.secrets_key)

    @property
    def proxies(self) -> list[Network]:
        """The trusted proxies as networks."""
        return _parse_networks(self.trusted_proxies)

    @property
    def webhook_networks(self) -> list[Network]:
        """The networks that webhooks may reach beside the public internet."""
        return _parse_networks(self.webhook_allowed_networks)

    @property
    def base_url(self) -> str:
        """What links in webhooks begin with: what was set, or this server as its own machine reaches it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def database(self) -> str:
        """URL of the database: what was set, or the SQLite file in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir / 'ocrelay.sqlite3'}"

    @property
    def models_folder(self) -> Path:
        """Folder of the models that were installed: what was set, or one that the environment of Python keeps."""
        return self.models_dir or Path(sys.prefix) / "share" / "ocrelay" / "models"

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models that may be used."""
        return tuple(name for part in self.models.split(",") if (name := part.strip()))

    @property
    def blobs_dir(self) -> Path:
        """Folder of the uploads."""
        return self.data_dir / "blobs"

    @property
    def limits(self) -> Limits:
        """What a document may cost."""
        return Limits(
            max_bytes=self.max_document_bytes,
            max_pixels=self.max_pixels,
            max_side=self.max_side,
            max_pages=self.max_pages,
        )

    @property
    def node_name(self) -> str:
        """Name under which this process claims jobs; the same for all children of one worker."""
        return self.node or f"{socket.gethostname()}-{os.getpid()}"

    def check_bind(self, *, has_keys: bool = False) -> None:
        """Refuse to serve strangers: without API keys only loopback addresses may be bound.

        Raises:
            InvalidConfiguration: The host is not a loopback address and the operator has not allowed it.
        """
        if has_keys or self.allow_remote_without_keys or is_loopback(self.host):
            return
        raise errors.InvalidConfiguration(
            f"OCRELAY_HOST={self.host} would serve every machine that can reach this one, without any key. "
            "Make one with `ocrelay keys create`, or listen on 127.0.0.1, "
            "or set OCRELAY_ALLOW_REMOTE_WITHOUT_KEYS=true if a proxy or a firewall guards it."
        )

    def export(self, **changed: Any) -> Self:
        """Change settings for this process and all that it starts; return the changed settings."""
        settings = self.model_copy(update=changed)
        os.environ.update(settings.child_environment())
        return settings

    def child_environment(self) -> dict[str, str]:
        """Return the environment for a child process that shall see exactly these settings."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        for name, value in self.model_dump(mode="json", exclude={"api_key", "server"}).items():  # of clients
            if value is not None:
                environment[PREFIX + name.upper()] = str(value)
        return environment


def _parse_networks(names: str) -> list[Network]:
    return [ipaddress.ip_network(name.strip(), strict=False) for name in names.split(",") if name.strip()]


def _parse_keys(text: str) -> list[bytes]:
    """Raises ValueError, without the text: it is secret."""
    try:
        keys = [base64.b64decode(key.strip(), validate=True) for key in text.split(",") if key.strip()]
    except ValueError:
        keys = [b""]
    if any(len(key) != 32 for key in keys):
        raise ValueError("must be 32 bytes in base64, such as `openssl rand -base64 32` prints")
    return keys


def parse_limits(text: str) -> list[RateLimitItem]:
    """Return limits such as ``10/minute;100/hour``, the shortest window first; none for an empty text."""
    from limits import parse_many  # only the API needs it, and only where there are limits

    return sorted(parse_many(text), key=lambda limit: limit.get_expiry()) if text.strip() else []


def is_loopback(host: str) -> bool:
    """Return whether only this machine itself can reach the host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def limit_native_libraries(settings: Settings) -> None:
    """Set the variables that OpenCV and the maths libraries read when they are loaded. Call before their import."""
    os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(settings.max_pixels * 4)  # a JPEG may be reduced by 2 each way
    os.environ["OPENCV_LOG_LEVEL"] = "SILENT"  # a line for each wrong field of a file: the job says what is wrong
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # onnxruntime's wheel reports to its maker unless told so


def use_metrics_folder(folder: Path) -> None:
    """Set the variable in which prometheus-client looks for the folder that several processes share."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def has_otlp_endpoint() -> bool:
    """Return whether one of OpenTelemetry's own variables says where traces go; its library reads them all itself."""
    return any(os.environ.get(f"OTEL_EXPORTER_OTLP_{name}ENDPOINT") for name in ("", "TRACES_"))


def runtime_dir() -> Path | None:
    """Return the user's folder for sockets (XDG_RUNTIME_DIR), where the system offers one."""
    folder = os.environ.get("XDG_RUNTIME_DIR")
    return Path(folder) if folder and os.access(folder, os.W_OK) else None
