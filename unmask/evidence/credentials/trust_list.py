"""The trust list: certificates whose holders' Content Credentials are trusted, in one dated file.

C2PA publishes its lists with its conformance programme, under CC BY 4.0: one of signers, and one of
the authorities whose time stamps tell that a signature is older than its certificate's end.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from unmask.errors import SettingsError
from unmask.settings import Settings

_PLACE = "https://raw.githubusercontent.com/c2pa-org/conformance-public/main/trust-list"
#: Where C2PA publishes its lists: signers, and authorities of time stamps.
PUBLISHED = (f"{_PLACE}/C2PA-TRUST-LIST.pem", f"{_PLACE}/C2PA-TSA-TRUST-LIST.pem")
#: The name that an installed list has in the folder of this machine's files.
INSTALLED = "c2pa-trust-list.pem"
#: Bytes of one published list; those of 2026 have 40,000.
MAX_BYTES = 2_000_000
_HEAD = """\
# Certificates whose holders' Content Credentials are trusted, joined from:
# {source}
# Lists of C2PA are (c) Coalition for Content Provenance and Authenticity, under CC BY 4.0
# (https://creativecommons.org/licenses/by/4.0/); their comments were left out.
# Date: {date}
"""
_DATE = re.compile(r"^# Date: (\d{4}-\d{2}-\d{2})$", re.MULTILINE)
_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.ASCII
)


def trust_list_path(settings: Settings) -> Path | None:
    """The list that the settings name, else the installed one; None where there is neither."""
    if settings.c2pa_trust_list is not None:
        return settings.c2pa_trust_list
    installed = settings.data / INSTALLED
    return installed if installed.is_file() else None


def list_date(path: Path) -> date:
    """The date that a trust list names, else that of the file's last change.

    Raises :class:`SettingsError` where the file cannot be read or holds no certificate.
    """
    try:
        text = path.read_text(encoding="utf-8")
        changed = path.stat().st_mtime
    except (OSError, UnicodeDecodeError) as fault:
        message = f"UNMASK_C2PA_TRUST_LIST: {path} cannot be read."
        raise SettingsError(message) from fault
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise SettingsError(f"UNMASK_C2PA_TRUST_LIST: {path} holds no certificate in PEM.")
    return _named_date(text) or datetime.fromtimestamp(changed, UTC).date()


def joined_list(lists: Mapping[str, bytes], today: date) -> str:
    """The text of one dated file with the certificates of several lists, each by its name.

    Raises :class:`SettingsError`, which names the list, where one holds no certificate, or one that
    cannot be parsed.
    """
    certificates = [found for name, data in lists.items() for found in _certificates(name, data)]
    head = _HEAD.format(source=", ".join(lists), date=today.isoformat())
    return head + "".join(f"{certificate}\n" for certificate in dict.fromkeys(certificates))


def holders(text: str) -> list[str]:
    """The organisations that a list's certificates name, sorted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata="\n".join(_CERTIFICATE.findall(text)))
    names = {name for entry in context.get_ca_certs() for name in _organisations(entry)}
    return sorted(names, key=str.casefold)


def _certificates(name: str, data: bytes) -> list[str]:
    certificates = _CERTIFICATE.findall(data.decode("utf-8", "replace"))
    if not certificates:
        raise SettingsError(f"{name} is no trust list: it holds no certificate in PEM.")
    for certificate in certificates:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=certificate)
        except ssl.SSLError as fault:
            raise SettingsError(f"{name} holds a certificate that cannot be parsed.") from fault
    return certificates


def _organisations(certificate: Mapping[str, object]) -> Iterator[str]:
    subject = certificate["subject"]
    for part in subject if isinstance(subject, tuple) else ():
        yield from (value for name, value in part if name == "organizationName")


def _named_date(text: str) -> date | None:
    match = _DATE.search(text)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None
