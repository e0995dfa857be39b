"""The page in a real browser on the real product: what a person does, and what they see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect, sync_playwright
from tests.support.samples import PHONE_12_MP_TURNED, sample

CHROMIUM = "/usr/bin/chromium"
PASSWORD = "correct horse battery"
PATIENCE_MS = 20_000

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, product_url: str) -> Iterator[Page]:
    """The page as it opens, watched: an error in its code fails the test."""
    context = browser.new_context(base_url=product_url)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if _is_fault(said.text) else None)
    page.goto("/")
    yield page
    context.close()
    assert faults == []


def _is_fault(text: str) -> bool:
    return "Content Security Policy" in text or "CORS" in text


def register(page: Page, name: str = "Ada Lovelace") -> str:
    """A new account, signed in; returns its email."""
    email = f"{uuid4().hex}@example.com"
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="New here? Register").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("dialog").get_by_role("button", name="Register", exact=True).click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    return email


def upload(page: Page, *files: Path, visibility: str = "private") -> Locator:
    """The rows of the uploads, newest first."""
    page.get_by_role("button", name="My library").click()
    page.get_by_label("Visible to").select_option(visibility)
    page.get_by_label("Upload files").set_input_files(files)
    return page.get_by_role("list", name="Uploads").get_by_role("listitem")


def cards(page: Page, view: str) -> Locator:
    return page.locator(f"#{view} figure")


def noise(path: Path) -> Path:
    """A picture like no other."""
    Image.effect_noise((900, 600), 60).convert("RGB").save(path)
    return path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo that nobody uploaded before."""
    return noise(tmp_path / "noise.jpg")


def test_a_real_photo_is_uploaded_published_liked_and_still_there_after_a_reload(
    page: Page,
) -> None:
    register(page)
    row = upload(page, sample(PHONE_12_MP_TURNED), visibility="public")
    expect(row.locator(".state")).to_have_text("Ready")
    image = cards(page, "library").first.locator("img")
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") > 0

    page.get_by_role("button", name="Feed").click()
    like = cards(page, "feed").first.get_by_role("button", name="Like")
    expect(like).to_have_text("♥ 0")
    like.click()
    expect(like).to_have_text("♥ 1")
    page.reload()

    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    expect(like).to_have_attribute("aria-pressed", "true")
    expect(like).to_have_text("♥ 1")
    like.click()
    expect(like).to_have_text("♥ 0")


def test_a_stranger_sees_the_feed_and_is_asked_to_sign_in_to_like(page: Page, photo: Path) -> None:
    register(page)
    expect(upload(page, photo, visibility="public").locator(".state")).to_have_text("Ready")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="My library")).to_be_hidden()

    cards(page, "feed").first.get_by_role("button", name="Like").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_what_is_private_is_in_the_library_and_not_in_the_feed(page: Page, photo: Path) -> None:
    register(page)
    expect(upload(page, photo).locator(".state")).to_have_text("Ready")
    media_id = cards(page, "library").first.get_attribute("data-id")
    in_feed = page.locator(f'#feed figure[data-id="{media_id}"]')

    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("button", name="Make private")).to_be_visible()
    page.get_by_role("button", name="Feed").click()
    expect(in_feed).to_be_visible()
    page.get_by_role("button", name="My library").click()
    page.get_by_role("button", name="Make private").click()
    expect(page.get_by_role("button", name="Publish")).to_be_visible()
    page.get_by_role("button", name="Feed").click()
    expect(in_feed).to_have_count(0)


def test_a_corrupt_file_says_why_it_failed_and_its_neighbour_is_ready(
    page: Page, photo: Path, tmp_path: Path
) -> None:
    corrupt = tmp_path / "corrupt.jpg"
    corrupt.write_bytes(photo.read_bytes()[:2000])
    register(page)
    rows = upload(page, corrupt, photo)

    expect(rows.filter(has_text="noise.jpg").locator(".state")).to_have_text("Ready")
    failed = rows.filter(has_text="corrupt.jpg")
    expect(failed).to_have_attribute("data-state", "failed")
    expect(failed.locator(".state")).to_have_text(re.compile(r"\w+ \w+ \w+"))
    expect(failed.get_by_role("button", name="Retry")).to_be_visible()


def test_the_same_file_is_there_already(page: Page, photo: Path) -> None:
    register(page)
    expect(upload(page, photo).locator(".state")).to_have_text("Ready")

    rows = upload(page, photo)
    expect(rows.first.locator(".state")).to_have_text("Already there")
    expect(cards(page, "library")).to_have_count(1)


def test_an_upload_is_cancelled_in_the_middle_and_tried_again(page: Page, photo: Path) -> None:
    register(page)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/incoming/**", hold)
    row = upload(page, photo)
    expect(row).to_have_attribute("data-state", "uploading")
    row.get_by_role("button", name="Cancel").click()
    expect(row.locator(".state")).to_have_text("Cancelled")
    page.unroute("**/incoming/**")

    row.get_by_role("button", name="Retry").click()
    expect(row.locator(".state")).to_have_text("Ready")


def test_a_lost_connection_is_told_and_the_upload_tried_again(page: Page, photo: Path) -> None:
    register(page)
    page.route("**/incoming/**", lambda route: route.abort())
    row = upload(page, photo)
    expect(row.locator(".state")).to_have_text("The connection was lost. Try again.")
    page.unroute("**/incoming/**")

    row.get_by_role("button", name="Retry").click()
    expect(row.locator(".state")).to_have_text("Ready")


def test_being_told_to_slow_down_only_slows_it_down(page: Page, photo: Path) -> None:
    register(page)
    refused: list[Route] = []

    def refuse_once(route: Route) -> None:
        if refused:
            route.fallback()
            return
        refused.append(route)
        route.fulfill(status=429, headers={"retry-after": "1"}, json={"detail": "Too many"})

    page.route("**/api/media/upload-url", refuse_once)

    expect(upload(page, photo).locator(".state")).to_have_text("Ready")
    assert len(refused) == 1


def test_a_whole_folder_is_uploaded(page: Page, tmp_path: Path) -> None:
    folder = tmp_path / "holiday" / "second day"
    folder.mkdir(parents=True)
    for number, place in enumerate((folder, folder.parent, folder)):
        noise(place / f"photo-{number}.jpg")
    register(page)
    page.get_by_role("button", name="My library").click()
    page.get_by_label("Upload a folder").set_input_files(tmp_path / "holiday")

    rows = page.get_by_role("list", name="Uploads").get_by_role("listitem")
    expect(rows).to_have_count(3)
    for row in rows.all():
        expect(row.locator(".state")).to_have_text("Ready")


def test_a_dropped_file_is_uploaded(page: Page, photo: Path) -> None:
    register(page)
    transfer = page.evaluate_handle(
        """bytes => {
            const transfer = new DataTransfer();
            const file = new File([new Uint8Array(bytes)], "dropped.jpg", {type: "image/jpeg"});
            transfer.items.add(file);
            return transfer;
        }""",
        list(photo.read_bytes()),
    )
    page.dispatch_event("body", "dragover", {"dataTransfer": transfer})
    expect(page.get_by_text("Drop files or folders")).to_be_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})

    row = page.get_by_role("list", name="Uploads").get_by_role("listitem")
    expect(row.locator(".state")).to_have_text("Ready")


def test_an_item_goes_to_the_trash_and_comes_back(page: Page, photo: Path) -> None:
    register(page)
    expect(upload(page, photo).locator(".state")).to_have_text("Ready")
    page.get_by_role("button", name="Delete").click()
    expect(cards(page, "library")).to_have_count(0)
    page.get_by_label("Show").select_option("trashed")
    page.get_by_role("button", name="Restore").click()
    expect(cards(page, "library")).to_have_count(0)
    page.get_by_label("Show").select_option("")

    expect(cards(page, "library")).to_have_count(1)


def test_the_library_is_searched(page: Page, photo: Path, tmp_path: Path) -> None:
    register(page)
    rows = upload(page, photo, noise(tmp_path / "harbour.jpg"))
    expect(rows).to_have_count(2)
    for row in rows.all():
        expect(row.locator(".state")).to_have_text("Ready")

    page.get_by_label("Search").fill("harb")
    expect(cards(page, "library")).to_have_count(1)
    expect(cards(page, "library")).to_contain_text("harbour")


def test_the_passwords_must_be_the_same_and_not_easily_guessed(page: Page) -> None:
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="New here? Register").click()
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Email").fill(f"{uuid4().hex}@example.com")
    page.get_by_label("Password", exact=True).fill("password123")
    page.get_by_label("Password again").fill("password124")
    submit = page.get_by_role("dialog").get_by_role("button", name="Register", exact=True)
    submit.click()
    expect(page.get_by_role("alert")).to_have_text("The passwords differ.")
    page.get_by_label("Password again").fill("password123")
    submit.click()

    expect(page.get_by_role("alert")).to_contain_text("too easy to guess")


def test_a_wrong_password_is_told(page: Page) -> None:
    email = register(page)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill("something else")
    page.get_by_role("dialog").get_by_role("button", name="Sign in", exact=True).click()

    expect(page.get_by_role("alert")).to_have_text("Email or password is wrong.")


def test_nothing_moves_when_the_pictures_arrive(page: Page, photo: Path) -> None:
    register(page)
    expect(upload(page, photo, visibility="public").locator(".state")).to_have_text("Ready")
    page.route(re.compile(r"/media/[0-9a-f-]{36}/"), lambda route: route.abort())
    page.reload()
    frame = cards(page, "feed").first.locator(".frame")
    expect(frame).to_be_visible()
    before = frame.bounding_box()
    page.unroute(re.compile(r"/media/[0-9a-f-]{36}/"))
    page.reload()
    expect(frame.locator("img")).to_have_js_property("complete", True)

    assert frame.bounding_box() == before


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1280, "dark")])
def test_the_page_fits_a_phone_and_the_dark(page: Page, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.reload()
    expect(page.locator("#feed .end, #feed figure").first).to_be_attached()

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", ground)[:3])) / 3
    assert (brightness < 64) == (scheme == "dark")


def test_the_page_is_used_by_keyboard_alone(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to content")).to_be_focused()
    for name in ("Feed", "Sign in"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name=name, exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_documentation_lists_the_operations(page: Page) -> None:
    page.goto("/api/docs")

    page.get_by_text("POST /api/media/upload-url").click()
    expect(page.get_by_text("fileName").first).to_be_visible()
