"""Every setting once, typed; read from the environment as ``UNMASK_*``.

The settings are made by the entry points and handed down; nothing reads them at import.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

#: The manifest of the model that comes with Unmask.
SHIPPED_MODEL = Path(__file__).parent / "detector" / "models" / "manifest.json"


class Settings(BaseSettings):
    """The settings of every part of Unmask, with their defaults."""

    model_config = SettingsConfigDict(env_prefix="UNMASK_", frozen=True, extra="ignore")

    model: Path = Field(
        SHIPPED_MODEL,
        description="Manifest of the model; densenet121: the shipped one without CLIP, "
        "for machines with little memory.",
    )
    max_bytes: int = Field(20_000_000, gt=0, description="Largest picture file, in bytes.")
    max_pixels: int = Field(50_000_000, gt=0, description="Largest picture, in pixels.")
    min_side: int = Field(16, gt=0, description="Shortest side that is examined, in pixels.")
    max_side: int = Field(30_000, gt=0, description="Longest side that is examined, in pixels.")
    max_frames: int = Field(1_000, gt=0, description="Most frames of an animation.")
    max_faces: int = Field(32, gt=0, description="Most faces examined in one picture.")
    batch_size: int = Field(
        8, gt=0, description="Most pictures examined together; on a GPU 32, where it is not set."
    )
    batch_pixels: int = Field(
        100_000_000, gt=0, description="Most pixels examined together, unless one picture has more."
    )
    engine: Literal["auto", "onnxruntime", "openvino", "cuda", "tensorrt"] = Field(
        "auto",
        description="Run time of the networks that judge; auto: the fastest that is proved here.",
    )
    threads: int = Field(
        0, ge=0, description="Threads of the model's run time; 0: one a core that it may use."
    )

    c2pa_trust_list: Path | None = Field(
        None,
        description="File of PEM certificates whose holders' Content Credentials are trusted; "
        "none: the list that unmask trust-list installed in data.",
    )

    host: str = Field("127.0.0.1", description="Address that the server listens on.")
    port: int = Field(8080, ge=0, le=65_535, description="Port of the server; 0: any free one.")
    public_url: str = Field("", description="Where people reach the server, behind a proxy.")
    proxies: int = Field(0, ge=0, description="Trusted proxies that add to X-Forwarded-For.")
    api_keys: Literal["auto", "required", "none"] = Field(
        "auto", description="API keys; auto: needed unless only this machine can reach the server."
    )
    extension_origins: str = Field(
        "chrome-extension://fpgeelagofioifkdkgnddkkbibkkpjnn moz-extension://*",
        description="Origins of the browser extension that may call, separated by spaces.",
    )
    checks_per_minute_key: int | None = Field(
        None, ge=0, description="Checks a minute for a key; 0: no limit; 600 where keys are needed."
    )
    checks_per_minute_address: int | None = Field(
        None, ge=0, description="The same for an address without a key; 60 where keys are needed."
    )
    requests_per_minute: int | None = Field(
        None, ge=0, description="Requests a minute for an address; 1200 where keys are needed."
    )
    longest_wait: float = Field(
        60.0, gt=0, description="Longest ?wait= that is granted, in seconds."
    )
    max_queue_seconds: float = Field(
        120.0, gt=0, description="New checks are refused while the queue would take longer."
    )
    max_bulk: int = Field(100, gt=0, description="Most pictures in one bulk request.")
    upload_memory: int = Field(
        240_000_000,
        gt=0,
        description="Bytes of pictures that the server holds at one time; at least four pictures.",
    )
    fetch_seconds: float = Field(15.0, gt=0, description="Longest download of a URL, in seconds.")
    data: Path = Field(
        default_factory=lambda: Path.home() / ".local" / "share" / "unmask",
        description="Directory of this machine's files: embedded Valkey, pictures, reports.",
    )
    redis_url: str | None = Field(
        None,
        validation_alias=AliasChoices("UNMASK_REDIS_URL", "redis_url"),
        description="Redis or Valkey to use (REDIS_URL is read too); none: an embedded Valkey.",
    )
    store: str | None = Field(
        None, description="fsspec URL of the store, such as s3://bucket/unmask; none: in data."
    )
    retention: int = Field(
        86_400, gt=0, description="How long pictures, reports and masks are kept, in seconds."
    )
    max_checks: int = Field(
        50_000, gt=0, description="Most checks that are kept at one time for a key or an address."
    )
    min_free: int = Field(
        100_000_000, ge=0, description="Bytes of the store's disk that new pictures leave free."
    )
    max_wait: int = Field(
        21_600, gt=0, description="Longest time in the queue before a check fails, in seconds."
    )
    job_timeout: int = Field(
        120, gt=0, description="Longest time for one batch before its worker ends, in seconds."
    )
    database: str = Field(
        "", description="URL of the desk's database, postgresql://...; none: SQLite in data."
    )
    oidc_issuer: str = Field(
        "", description="OpenID Connect provider that people of teams may sign in with: its issuer."
    )
    oidc_name: str = Field("", description="What people call that provider; none: its host's name.")
    oidc_client_id: str = Field("", description="This server's client id at that provider.")
    oidc_client_secret: SecretStr | None = Field(
        None, description="Its client secret; none: a public client."
    )
    team_pools: str = Field("", description="Teams with workers of their own, separated by commas.")
    pools: str = Field(
        "shared", description="Pools that a worker serves, in order: shared, or names of teams."
    )

    telegram_token: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("UNMASK_TELEGRAM_TOKEN", "telegram_token"),
        description="Token that BotFather gave (TELEGRAM_TOKEN is read too).",
    )
    telegram_api: str = Field(
        "https://api.telegram.org", description="The Bot API, or a local Bot API server."
    )
    bot_admins: str = Field(
        "", description="Telegram ids of those who may use /stats, /block and /unblock."
    )
    bot_allowed: str = Field(
        "", description="Telegram ids of users and chats that the bot serves; none: everybody."
    )
    bot_blocked: str = Field("", description="Telegram ids of users and chats it never answers.")
    bot_desk_url: str = Field(
        "", description="URL of the server whose team's desk the bot sends to; none: no desk."
    )
    bot_desk_key: SecretStr | None = Field(
        None, description="Key of that team, with desk:send, desk:read and desk:bot."
    )
    bot_pictures_per_minute_user: int = Field(
        30, ge=0, description="Pictures a minute for one Telegram user; 0: no limit."
    )
    bot_pictures_per_minute_chat: int = Field(
        60, ge=0, description="Pictures a minute for one Telegram chat; 0: no limit."
    )
    bot_messages_per_second: int = Field(
        30, ge=0, description="Messages a second that the bot sends at most; 0: no limit."
    )
    bot_webhook: str = Field(
        "", description="https URL to which Telegram sends updates; none: the bot asks for them."
    )
    bot_webhook_secret: SecretStr | None = Field(
        None, description="Secret that Telegram sends along; none: one made from the token."
    )
    bot_host: str = Field("127.0.0.1", description="Address that the webhook listens on.")
    bot_port: int = Field(
        8081, ge=0, le=65_535, description="Port of the webhook; 0: any free one."
    )

    @field_validator("model")
    @classmethod
    def _shipped_by_name(cls, path: Path) -> Path:
        """The manifest of a shipped variant that is given by its name alone."""
        shipped = SHIPPED_MODEL.parent / f"{path}.json"
        is_name = len(path.parts) == 1 and not path.suffix and not path.exists()
        return shipped if is_name and shipped.is_file() else path

    @field_validator("redis_url")
    @classmethod
    def _has_scheme(cls, url: str | None) -> str | None:
        if url and not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("it must begin with redis://, rediss:// or unix://")
        return url
