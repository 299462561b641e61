"""The errors of a fetch, by code."""

from __future__ import annotations

from unmask.errors import UnmaskError


def bad_url(why: str) -> UnmaskError:
    """The error for text that is not a URL of a picture."""
    return UnmaskError("bad_url", f"This URL cannot be used. {why}")


def refused(why: str) -> UnmaskError:
    """The error for a URL that leads outside the public internet."""
    return UnmaskError("url_refused", f"This URL is not fetched. {why}")


def unreachable(why: str, **detail: int) -> UnmaskError:
    """The error for a site that does not answer with a file."""
    return UnmaskError("url_unreachable", f"The picture could not be fetched. {why}", **detail)


def too_late(seconds: float) -> UnmaskError:
    """The error for a site that is too slow."""
    return UnmaskError(
        "url_timeout",
        f"The site did not send the picture within {seconds:g} seconds.",
        seconds=seconds,
    )


def too_many_bytes(limit: int) -> UnmaskError:
    """The error for a file beyond ``limit`` bytes."""
    return UnmaskError(
        "too_many_bytes", f"The picture is larger than {limit:,} bytes.", limit=limit
    )
