"""Where an IRI is described on the site, and back."""

from pathlib import PurePosixPath
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onemg_kg.addresses import document, iri, url
from onemg_kg.graph import Graph
from onemg_kg.terms import BASE

UCSCHAR = st.characters(min_codepoint=0xA0, max_codepoint=0xFDCF, exclude_categories=["Cs", "Cn"])
CHARACTER = st.one_of(st.sampled_from("abcXYZ019-._~!$&'()*+,;=:@"), UCSCHAR, st.sampled_from(["%25", "%2F", "%C3%A9", "%00"]))
SEGMENT = st.one_of(st.sampled_from(["", ".", "..", "index", "%69ndex", "%2E"]), st.lists(CHARACTER, max_size=8).map("".join))
PATH = st.lists(SEGMENT, max_size=5).map("/".join)
FRAGMENT = st.one_of(st.just(""), st.lists(CHARACTER, min_size=1, max_size=8).map("".join))


@given(PATH, FRAGMENT)
@example("", "")
@example("ns", "Listing")
@example("ns/1.0.0", "")
@example("id/page/a//b/", "link-3")
@example("id/resource/caf\u00e9", "")
@example("id/resource/caf%C3%A9", "")
def test_an_address_leads_back_to_its_iri(path: str, fragment: str) -> None:
    """No two IRIs share a place, and the IRI can be read off the path."""
    whole = BASE + path + (f"#{fragment}" if fragment else "")
    place, anchor = document(whole)
    assert iri(place, anchor) == whole
    assert anchor == fragment


@given(PATH)
def test_an_address_is_a_file_below_the_root(path: str) -> None:
    """A path has no step up, no empty name and nothing that a server cuts off, and survives being written as a URL."""
    place, _ = document(BASE + path)
    parts = place.split("/")
    assert all(part and part.strip(".") for part in parts)
    assert PurePosixPath(place).parts == tuple(parts)
    assert not set(place) & set('?#\\:*"<>|\0')
    assert unquote(url(place)) == place
    assert url(place).isascii()


def test_every_document_of_the_graph_has_a_plain_path(loaded: Graph) -> None:
    """The IRIs that are published need no escape: what is typed is what is on disk."""
    ours = {quad.subject.value for quad in loaded.stated if str(quad.subject).startswith(f"<{BASE}")}
    assert len(ours) > 1000
    assert [name for name in ours if "%" in document(name)[0]] == []


def test_an_iri_of_others_has_no_address() -> None:
    with pytest.raises(ValueError, match="is not below"):
        document("https://example.org/")
