"""Draws the guide's pictures of the digest: first `triaged demo`, then `python docs/pictures/make.py triaged-demo`.

Needs Chromium.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
SIZES: Final = {"desktop": "720,900", "phone": "390,900"}  # of the window, in pixels


def draw(page: Path, picture: Path, size: str, browser: str) -> None:
    """Write what a window of some size shows of a page."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={size}"]
    command = [browser, *options, f"--screenshot={picture}", page.resolve().as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603


def main() -> None:
    """Draw a demo's digest at each size."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if len(sys.argv) != 2 or browser is None:
        sys.exit("usage: python docs/pictures/make.py FOLDER_OF_THE_DEMO   (needs chromium)")
    for name, size in SIZES.items():
        draw(Path(sys.argv[1]) / "digest.html", HERE / f"digest-{name}.png", size, browser)


if __name__ == "__main__":
    main()
