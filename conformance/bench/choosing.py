"""The readers of a bench by name: one profile, or several readers each with its own."""

from __future__ import annotations

from functools import lru_cache

from bifente.conformance.bench.profiles import ReaderProfile, load_profile
from bifente.conformance.bench.several import readers_of, together
from bifente.conformance.loading import Document


@lru_cache(maxsize=64)
def load_readers(name: str) -> tuple[ReaderProfile, tuple[Document, ...]]:
    """Return a profile and the files it was read from.

    ``name`` is that of a profile, the path of its file, or ``accueil=readers/fei cabinet=readers/f600`` for several
    readers. Raise InputError.
    """
    readers = readers_of(name)
    if not readers:
        profile, document = load_profile(name)
        return profile, (document,)
    loaded = {reader: load_profile(own) for reader, own in readers.items()}
    documents = {document.path: document for _profile, document in loaded.values()}
    return together({reader: profile for reader, (profile, _document) in loaded.items()}), tuple(documents.values())
