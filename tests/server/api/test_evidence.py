"""What the file tells, as the API shows it: findings to everybody, metadata to few."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from PIL import ExifTags, Image
from redis.asyncio import Redis

from server.security.keys import ApiKeys, Scope
from tests.server.server_process import Service, client_of
from tests.unmask.evidence.files import xmp

pytestmark = pytest.mark.anyio
Client = TestClient[Any, Any]
SECRETS = ("33.8", "51.5074", "a secret prompt", "Ada Lovelace", "2024:05:01", "12:34:56")


def marked(portrait: Any) -> bytes:
    """A portrait with a generator's mark, a place, a name, a time and a prompt."""
    exif = Image.Exif()
    exif[0x013B] = "Ada Lovelace"
    exif.get_ifd(ExifTags.IFD.Exif)[0x9003] = "2024:05:01 12:34:56"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({2: (51.0, 30.0, 26.64), 4: (0.0, 7.0, 39.0)})
    fields = {
        "XMP-photoshop:Credit": "Made with Google AI",
        "XMP-iptcExt:AIPromptInformation": "a secret prompt",
    }
    out = BytesIO()
    Image.fromarray(portrait).save(out, "JPEG", exif=exif, xmp=xmp(fields))
    return out.getvalue()


async def test_findings_stand_in_the_report_and_no_metadata(client: Client, portrait: Any) -> None:
    body = await (await client.post("/v1/checks?wait=60", data=marked(portrait))).json()
    report = body["report"]
    assert report["evidence_says"] == "generated"
    assert report["statement"].endswith("was made by Google (unsigned mark).")
    codes = [finding["code"] for finding in report["evidence"]]
    assert codes[:2] == ["mark_generated_unnamed", "mark_generated"]
    assert "place_recorded" in codes
    shown = [
        await (await client.get(f"/v1/checks/{body['id']}")).read(),
        await (await client.get(f"/c/{body['id']}", headers={"Accept": "text/html"})).read(),
        await (await client.get(f"/v1/checks/{body['id']}/annotated.jpg")).read(),
        await (await client.get(f"/v1/checks/{body['id']}/report.pdf")).read(),
    ]
    assert not [secret for secret in SECRETS for data in shown if secret.encode() in data]
    await client.delete(f"/v1/checks/{body['id']}")
    assert (await client.get(f"/v1/checks/{body['id']}/metadata")).status == 404


async def test_metadata_is_for_those_who_may_send_pictures_to_the_team(
    service: Service, portrait: Any
) -> None:
    async with Redis.from_url(service.redis_url) as redis:
        keys = ApiKeys(redis)
        mine, _ = await keys.create("mine", [Scope.CHECK, Scope.DELETE], team="desk")
        theirs, _ = await keys.create("theirs", [Scope.CHECK], team="other")
        lists, _ = await keys.create("lists", [Scope.LIST], team="desk")
    async with client_of(service, api_keys="required") as client:

        def sender(key: str) -> Mapping[str, str]:
            return {"Authorization": f"Bearer {key}"}

        sent = await client.post("/v1/checks?wait=60", data=marked(portrait), headers=sender(mine))
        address = f"/v1/checks/{(await sent.json())['id']}"
        answer = await client.get(f"{address}/metadata", headers=sender(mine))
        metadata = await answer.json()
        assert answer.headers["Cache-Control"] == "no-store"
        assert metadata["place"] == {"latitude": 51.5074, "longitude": 0.1275}
        page = await (
            await client.get(f"/c/{address.rpartition('/')[2]}/metadata", headers=sender(mine))
        ).text()
        assert "a secret prompt" in page and "openstreetmap.org/?mlat=51.5074" in page
        by_name = {field["name"]: field for field in metadata["fields"]}
        assert by_name["EXIF:DateTimeOriginal"]["meaning"]
        assert by_name["XMP-iptcExt:AIPromptInformation"]["value"] == "a secret prompt"
        for headers in ({}, sender(theirs), sender(lists)):
            for path in (f"{address}/metadata", f"/c/{address.rpartition('/')[2]}/metadata"):
                refused = await client.get(path, headers=headers)
                assert refused.status in (401, 403)
                assert "secret" not in await refused.text()
        assert (await client.get(address)).status == 200  # its secret id suffices for the report
        await client.delete(address, headers=sender(mine))
