"""What makes two entries the same resource."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onemg_kg.sync import identity

PAGE = "https://site.example/section/page"

SPELLINGS = {
    "doi:10.5281/zenodo.8279620": [
        "https://zenodo.org/record/8279620",
        "http://zenodo.org/records/8279620",
        "https://zenodo.org/records/8279620#.ZGx",
        "https://zenodo.org/records/8279620?token=x",
        "https://zenodo.org/record/8279620/files/Glossary%20of%20terms.pdf?download=1",
        "https://www.zenodo.org/deposit/8279620",
        "https://zenodo.org/api/records/8279620",
        "https://zenodo.org/doi/10.5281/zenodo.8279620",
        "https://zenodo.org/badge/DOI/10.5281/zenodo.8279620.svg",
        "https://doi.org/10.5281/zenodo.8279620",
        "https://doi.org/10.5281/ZENODO.8279620",
        "http://dx.doi.org/10.5281/zenodo.8279620/",
        " (https://doi.org/10.5281/zenodo.8279620) ",
        "HTTPS://DOI.ORG/10.5281%2Fzenodo.8279620",
    ],
    "youtube:dQw4w9WgXcQ": [
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://youtube.com/watch?feature=share&v=dQw4w9WgXcQ&t=3s",
        "https://youtu.be/dQw4w9WgXcQ?si=abc",
        "https://www.youtube.com/embed/dQw4w9WgXcQ?rel=0",
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
        "https://www.youtube.com/shorts/dQw4w9WgXcQ",
        "https://m.youtube.com/live/dQw4w9WgXcQ",
    ],
    "youtube:list:PL1": [
        "https://www.youtube.com/playlist?list=PL1",
        "https://www.youtube.com/embed/videoseries?list=PL1",
    ],
    "google:1aB_c-D": [
        "https://docs.google.com/document/d/1aB_c-D/edit?usp=sharing",
        "https://docs.google.com/document/d/1aB_c-D",
        "https://docs.google.com/document/d/1aB_c-D/edit#heading=h.1",
        "https://docs.google.com/spreadsheets/d/1aB_c-D/edit#gid=0",
    ],
    "url:a.example/Tool": [
        "https://a.example/Tool",
        "http://www.a.example/Tool/",
        "https://A.example/Tool/index.html",
        "https://a.example/Tool?utm_source=x&utm_medium=y",
        "https://a.example/Tool#part",
        "((https://a.example/Tool))",
    ],
    "url:a.example": ["https://a.example", "http://a.example/", "https://www.a.example/index.html#top"],
    "url:a.example/a b.pdf": ["https://a.example/a b.pdf", "https://a.example/a%20b.pdf"],
    "url:a.example/s?a=1&b=2": ["https://a.example/s?a=1&b=2", "https://a.example/s?b=2&fbclid=z&a=1"],
}


@pytest.mark.parametrize(("key", "spelling"), [(key, spelling) for key, all_ in SPELLINGS.items() for spelling in all_])
def test_every_spelling_of_an_address_is_one_key(key: str, spelling: str) -> None:
    """A record, a video, a document or a page is the same however its address is written."""
    assert identity.key(spelling) == key


def test_addresses_of_different_things_differ() -> None:
    """Nothing that tells two things apart is taken away."""
    assert identity.key("https://zenodo.org/communities/1mg") != identity.key("https://zenodo.org/communities/gdi")
    assert identity.key("https://a.example/x?id=1") != identity.key("https://a.example/x?id=2")
    assert identity.key("https://a.example/x") != identity.key("https://b.example/x")
    assert identity.key("https://youtube.com/@channel") != identity.key("https://youtube.com/@other")


@pytest.mark.parametrize("no_address", ["", "#", "guide", "mailto:a@b.example", "http://", "http://["])
def test_what_is_no_web_address_identifies_nothing(no_address: str) -> None:
    """Two empty links are not the same resource."""
    known = identity.Known()
    known.add("urn:one", [], [no_address])
    assert identity.key(no_address) == ""
    assert known.by_address(no_address) is None


ADDRESSES = st.one_of(
    st.sampled_from([spelling for all_ in SPELLINGS.values() for spelling in all_]),
    st.builds(
        "{}://{}{}{}{}".format,
        st.sampled_from(["http", "https", "HTTPS"]),
        st.sampled_from(
            ["a.example", "www.a.example", "doi.org", "zenodo.org", "youtu.be", "www.youtube.com", "docs.google.com"]
        ),
        st.text("/aZ.1%é +-_:;()?&=[]", max_size=12).map("/".__add__),
        st.sampled_from(["", "?v=1", "?utm_x=1&b=%20", "?list=P", "?q=a+b&c"]),
        st.sampled_from(["", "#f", "#f#g"]),
    ),
)


@given(ADDRESSES)
@example("https://docs.google.com/spreadsheets/d/1aB/edit")
def test_the_landing_page_of_an_address_identifies_the_same(address: str) -> None:
    """What sync writes into a stub is what the next run recognises it by; giving it again changes nothing."""
    landing = identity.landing_page(address)
    assert identity.key(landing) == identity.key(address)
    assert identity.landing_page(landing) == landing


@given(st.text())
def test_any_text_is_an_address_or_none(text: str) -> None:
    """No link target crashes the reader."""
    assert isinstance(identity.key(identity.resolve(text, PAGE)), str)


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("https://a.example/x", "https://a.example/x"),
        ("((https://a.example/x))", "https://a.example/x"),
        ("https://a.example/a b (c).pdf", "https://a.example/a%20b%20(c).pdf"),
        ("/beacon", "https://site.example/beacon"),
        ("other", "https://site.example/section/other"),
        ("../files/a.pdf", "https://site.example/files/a.pdf"),
        ("#part", PAGE + "#part"),
        ("//b.example", "https://b.example"),
        ("https://a.example:port/", ""),
        ("https://[a", ""),
    ],
)
def test_a_link_leads_where_a_browser_goes(target: str, address: str) -> None:
    """A target is resolved against its page, without what its author wrote by mistake."""
    assert identity.resolve(target, PAGE) == address


def test_a_title_is_its_words() -> None:
    """Case, punctuation and underscores make no difference; the plus of 1+MG does."""
    assert identity.title_key("1+MG: the Data_Model (v2)") == identity.title_key("1+MG – The data model, V2")
    assert identity.title_key("1+MG") != identity.title_key("1 MG")


def test_what_identifies_one_resource_never_moves_to_another() -> None:
    """The first resource keeps its address and its title."""
    known = identity.Known()
    known.add("urn:one", ["Beacon"], ["https://a.example/beacon"])
    known.add("urn:two", ["beacon", "Beacon v2"], ["http://www.a.example/beacon/", "https://b.example"])
    assert known.by_address("https://a.example/beacon#x") == "urn:one"
    assert known.by_address("https://b.example/") == "urn:two"
    assert known.by_title("No such thing", "BEACON") == "urn:one"
    assert known.by_title("Beacon V2") == "urn:two"
    assert known.by_title("No such thing") is None
