"""A model on disk: `manifest.json` and the arrays it names (npz, never pickle). Same content, same bytes."""

import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MANIFEST: Final = "manifest.json"
FORMAT: Final = "triaged-model"
FORMAT_VERSION: Final = 1
_FIXED_DATE: Final = (1980, 1, 1, 0, 0, 0)  # a zip's dates would make every build another file
_MAX_OCTETS: Final = 2_000_000_000


class ModelError(Exception):
    """A model file that cannot be used."""

    def __init__(self, file: Path, found: str, expected: str) -> None:
        self.file = file
        self.found = found
        self.expected = expected
        super().__init__(f"{file}: {found}.\n  Expected: {expected}.")


@dataclass(frozen=True, slots=True)
class Stored:
    """What a model consists of, before anyone interprets it."""

    arrays: Mapping[str, NDArray[Any]]
    manifest: Mapping[str, Any]


def save(folder: Path, stored: Stored) -> None:
    """Write a model. The arrays' file is named by its hash and the manifest goes last: a crash leaves the old or the new."""
    folder.mkdir(parents=True, exist_ok=True)
    octets = _pack(stored.arrays)
    digest = hashlib.sha256(octets).hexdigest()
    arrays = f"model-{digest[:12]}.npz"
    manifest = {**stored.manifest, "format": FORMAT, "format_version": FORMAT_VERSION, "arrays": arrays, "sha256": digest}
    _replace(folder / arrays, octets)
    _replace(folder / MANIFEST, (json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode())
    for old in folder.glob("model-*.npz"):
        if old.name != arrays:
            old.unlink(missing_ok=True)


def load(folder: Path) -> Stored:
    """Read a model.

    Raises:
        ModelError: A file is missing, broken, of another kind or version, or not the one that the manifest names.
    """
    manifest = _manifest(folder / MANIFEST)
    name = manifest.get("arrays")
    if not isinstance(name, str) or not re.fullmatch(r"model-[0-9a-f]{12}\.npz", name):
        raise ModelError(folder / MANIFEST, f"arrays file {name!r}", "model-….npz in the same folder")
    octets = _octets(folder / name)
    found = hashlib.sha256(octets).hexdigest()
    if found != manifest.get("sha256"):
        named = str(manifest.get("sha256"))[:16]
        raise ModelError(
            folder / name, f"changed or broken, SHA-256 {found[:16]}…", f"{named}… as {MANIFEST} says; train again"
        )
    return Stored(_unpack(folder / name, octets), manifest)


def _manifest(file: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(_octets(file))
    except (ValueError, RecursionError) as error:
        raise ModelError(file, f"not JSON ({error})", "the manifest that `triaged train` writes") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ModelError(file, "not a manifest of triaged", f'"format": "{FORMAT}"')
    if manifest.get("format_version") != FORMAT_VERSION:
        raise ModelError(
            file, f"format version {manifest.get('format_version')!r}", f"{FORMAT_VERSION}: train again with this release"
        )
    return manifest


def _octets(file: Path) -> bytes:
    try:
        if file.stat().st_size > _MAX_OCTETS:
            raise ModelError(file, "larger than 2 GB", "a model that `triaged train` wrote")
        return file.read_bytes()
    except OSError as error:
        raise ModelError(
            file, f"cannot be read ({error.strerror})", "a model folder that `triaged train` or `make model` wrote"
        ) from None


def _pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(arrays[name]), version=(1, 0), allow_pickle=False)
            # stored, not deflated: zlib's bytes differ between its builds
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _FIXED_DATE), member.getvalue(), zipfile.ZIP_STORED)
    return out.getvalue()


def _unpack(file: Path, octets: bytes) -> dict[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(octets), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(file, f"not a readable npz file ({error})", "the arrays that `triaged train` writes") from None


def _replace(file: Path, octets: bytes) -> None:
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    with temporary.open("wb") as out:
        out.write(octets)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(file)
