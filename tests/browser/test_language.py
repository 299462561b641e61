"""The page in the reader's language: the browser's, or the one that was chosen."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, Photos, checked, done


def test_the_page_speaks_the_browsers_language(
    open_page: OpenPage, photos: Photos, tmp_path: Path
) -> None:
    page = checked(open_page, photos, locale="de-DE")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(
        page.get_by_role("heading", name="Anzeichen von Manipulation", exact=True)
    ).to_be_visible()
    expect(page.get_by_text("Das Gesicht zeigt Anzeichen von Manipulation")).to_be_visible()
    page.get_by_role("button", name="Löschen").click()
    expect(page.get_by_role("button", name="Endgültig löschen?")).to_be_visible()
    path = tmp_path / "notes.txt"
    path.write_text("not a picture")
    page.set_input_files("#file", str(path))
    expect(page.locator(".is-failed")).to_contain_text("Das ist kein Bild.")


@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}], ids=["", "no script"])
def test_a_chosen_language_is_kept(
    open_page: OpenPage, photos: Photos, options: dict[str, bool]
) -> None:
    page = open_page(locale="de-DE", **options)
    if not options:
        page.set_input_files("#file", photos("fake"))
        done(page)
    page.get_by_role("link", name="हिन्दी").click()
    expect(page.locator("html")).to_have_attribute("lang", "hi")
    expect(page.get_by_role("heading", name="क्या यह चेहरा नकली है?")).to_be_visible()
    expect(page.get_by_role("link", name="हिन्दी")).to_have_attribute("aria-current", "true")
    if not options:  # the photo of this tab is still there, and in that language
        done(page)
        expect(page.get_by_text("छेड़छाड़ के संकेत", exact=True).first).to_be_visible()
    page.goto(page.url.partition("?")[0] + "reference")
    expect(page.locator("html")).to_have_attribute("lang", "hi")
