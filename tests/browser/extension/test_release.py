"""What ships: least permissions, a strict policy, closed shadow roots, small files, sound zips."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.browser.extension.conftest import ROOT, run

PERMISSIONS = {"activeTab", "alarms", "contextMenus", "notifications", "scripting", "storage"}
LANGUAGES = {"en", "es", "fr", "de", "hi", "te"}
KB = 1000


@pytest.fixture(scope="module")
def release(build: Path) -> Path:
    return build / "release"


@pytest.fixture(scope="module")
def manifest(release: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((release / "manifest.json").read_text())
    return found


def test_it_asks_for_the_least(manifest: dict[str, Any]) -> None:
    assert {"activeTab", "scripting"} <= set(manifest["permissions"]) <= PERMISSIONS
    assert not manifest.get("host_permissions")
    assert "content_scripts" not in manifest
    assert "web_accessible_resources" not in manifest
    assert "externally_connectable" not in manifest
    assert manifest["optional_host_permissions"]


def test_its_policy_is_strict(manifest: dict[str, Any]) -> None:
    policy = manifest["content_security_policy"]["extension_pages"]
    rules = dict(rule.split(maxsplit=1) for rule in policy.rstrip("; ").split("; "))
    assert rules["default-src"] in ("'none'", "'self'")
    assert rules.get("script-src", rules["default-src"]) == "'self'"
    assert "unsafe" not in policy
    assert {"base-uri", "form-action", "frame-ancestors"} & set(rules)
    assert not re.search(r"https?://(?!\*)", policy)


def test_one_manifest_serves_both_browsers(manifest: dict[str, Any]) -> None:
    assert manifest["manifest_version"] == 3
    assert {"service_worker", "scripts"} <= set(manifest["background"])
    assert manifest["browser_specific_settings"]["gecko"]["id"]
    assert manifest["key"]


def test_the_test_build_differs_only_where_it_must(build: Path) -> None:
    shipped, tried = (
        json.loads((build / kind / "manifest.json").read_text()) for kind in ("release", "test")
    )
    assert tried.pop("host_permissions") == ["<all_urls>"]
    for one in (shipped, tried):
        one.pop("optional_host_permissions", None)
    assert shipped == tried


def test_shadow_roots_are_closed(release: Path) -> None:
    code = "".join(path.read_text() for path in release.rglob("*.js"))
    modes = re.findall(r"attachShadow\(\{\s*mode:\s*([^}]+)\}", code)
    assert modes
    assert {mode.strip().strip("\"'`") for mode in modes} == {"closed"}


#: The engines of a reverse image search, which the extension offers as links.
SEARCHES = {
    "https://lens.google.com",
    "https://www.bing.com",
    "https://yandex.com",
    "https://www.tineye.com",
    "https://toolbox.google.com",
}


def test_nothing_is_evaluated_or_fetched_from_afar(release: Path) -> None:
    for path in release.rglob("*.js"):
        code = path.read_text()
        for forbidden in (r"\beval\(", r"new Function\b", r"\.(inner|outer)HTML\s*=[^=]",
                          r"insertAdjacentHTML", r"document\.write", r"importScripts"):  # fmt: skip
            assert not re.search(forbidden, code), f"{forbidden} in {path.name}"
        found = set(re.findall(r"https?://[a-z0-9.:-]+", code))
        allowed = {"http://127.0.0.1:8080", "http://www.w3.org", "http://localhost:8080"}
        allowed |= SEARCHES  # links that a person follows; the policy lets no script ask them
        assert found <= allowed, (path.name, found)
    for path in release.rglob("*.html"):
        html = path.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|style=|https?://", html), path.name


def test_the_scripts_are_small(release: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in release.rglob("*.js")}
    assert len(sizes) >= 4
    assert all(size < 100 * KB for size in sizes.values()), sizes
    injected = {name: sizes[name] for name in ("page.js", "right-click.js")}
    assert all(size < 40 * KB for size in injected.values()), injected


def test_every_language_has_the_same_messages(release: Path) -> None:
    catalogues = {
        path.parent.name: json.loads(path.read_text())
        for path in (release / "_locales").glob("*/messages.json")
    }
    assert set(catalogues) == LANGUAGES
    english = catalogues["en"]
    for language, texts in catalogues.items():
        assert set(texts) == set(english), language
        for name, text in texts.items():
            assert text["message"].strip(), (language, name)
            holes = [
                sorted(set(re.findall(r"\$\d", one["message"]))) for one in (text, english[name])
            ]
            assert holes[0] == holes[1], (language, name)
    others = [catalogues[language] for language in LANGUAGES - {"en"}]
    long = {name: text["message"] for name, text in english.items() if len(text["message"]) > 25}
    same = [name for name in long if any(one[name]["message"] == long[name] for one in others)]
    assert same == [], "left in English"


def test_the_zips_are_the_build(manifest: dict[str, Any]) -> None:
    """``npm run package`` lints them with web-ext, too."""
    run("npm", "run", "--silent", "package")
    release = ROOT / "build" / "release"
    files = {
        str(path.relative_to(release)): path.read_bytes()
        for path in release.rglob("*")
        if path.is_file()
    }
    for browser in ("chrome", "firefox"):
        with zipfile.ZipFile(ROOT / f"build/unmask-{manifest['version']}-{browser}.zip") as packed:
            assert packed.testzip() is None
            found = {
                name: packed.read(name) for name in packed.namelist() if not name.endswith("/")
            }
        assert set(found) == set(files)
        differing = {name for name in files if found[name] != files[name]}
        assert differing <= {"manifest.json"}, "the zips differ from the build"
