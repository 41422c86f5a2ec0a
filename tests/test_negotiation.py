"""Content negotiation: what RFC 9110, section 12.5.1, says, for any header that a client may send."""

import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onemg_kg.formats import FORMATS
from onemg_kg.negotiation import REPRESENTATIONS, Representation, choose, weights

PLAIN, HTML, CSV, JPEG = (
    Representation(name, media_type)
    for name, media_type in (
        ("plain", "text/plain"),
        ("html", "text/html"),
        ("csv", "text/csv"),
        ("jpeg", "image/jpeg"),
    )
)
TYPES = [r.media_type for r in REPRESENTATIONS]
RANGES = sorted({media_range for r in REPRESENTATIONS for media_range in r.ranges} | {"image/png", "image/*"})
WEIGHT = st.integers(min_value=0, max_value=1000)
SAID = st.dictionaries(st.sampled_from(RANGES), WEIGHT, min_size=1)


def header(said: dict[str, int]) -> str:
    return ", ".join(f"{media_range};q={weight / 1000:.3f}" for media_range, weight in said.items())


def chosen(accept: str | None) -> str | None:
    """The media type that we would send."""
    representation = choose(accept, REPRESENTATIONS)
    return representation.media_type if representation else None


def test_the_table_offers_a_page_and_every_format() -> None:
    """A new format is negotiated without a word here, and no media type or suffix means two things."""
    assert [(r.media_type, r.suffix) for r in REPRESENTATIONS] == [
        ("text/html", ".html"),
        *((f.media_type, f.suffix) for f in FORMATS.values()),
    ]
    names = [name for r in REPRESENTATIONS for name in (r.media_type, *r.aliases)]
    assert len(set(names)) == len(names)
    assert names == [name.lower() for name in names]
    assert len({r.suffix for r in REPRESENTATIONS}) == len(REPRESENTATIONS)


@pytest.mark.parametrize(
    ("offer", "weight"),
    [(PLAIN, 700), (HTML, 300), (CSV, 300), (JPEG, 500)],
)
def test_the_example_of_the_specification(offer: Representation, weight: int) -> None:
    """RFC 9110, section 12.5.1: the most specific range gives the weight, which an offer a little above or below shows."""
    accept = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5"
    other = Representation("other", "x/other")
    assert choose(f"{accept}, x/other;q={(weight + 1) / 1000:.3f}", [offer, other]) == other
    assert choose(f"{accept}, x/other;q={(weight - 1) / 1000:.3f}", [other, offer]) == offer


@pytest.mark.parametrize(
    "accept", [None, "", " ", ",", ", ,", "text", "text/", "/html", "text/html;q=2", "text/html;q=0.0001", '"']
)
def test_nothing_well_formed_means_anything(accept: str | None) -> None:
    assert chosen(accept) == "text/html"
    assert choose(accept, []) is None


@given(st.sampled_from(TYPES))
def test_a_media_type_alone_gets_itself(media_type: str) -> None:
    assert chosen(media_type) == media_type
    assert chosen(media_type.upper()) == media_type


@given(SAID, st.randoms(use_true_random=False))
def test_the_order_of_members_does_not_matter(said: dict[str, int], random: Random) -> None:
    members = list(said.items())
    random.shuffle(members)
    assert chosen(header(dict(members))) == chosen(header(said))


@given(SAID)
def test_what_is_chosen_has_the_greatest_weight_and_is_the_first_of_equals(said: dict[str, int]) -> None:
    """Against the rule written out: of the ranges that match, the first in the order of being specific."""
    given_ = [next((said[media_range] for media_range in r.ranges if media_range in said), 0) for r in REPRESENTATIONS]
    best = max(given_)
    assert chosen(header(said)) == (TYPES[given_.index(best)] if best else None)


@given(SAID, st.sampled_from(TYPES))
def test_what_is_not_acceptable_is_never_chosen(said: dict[str, int], media_type: str) -> None:
    assert chosen(header({**said, media_type: 0})) != media_type
    assert chosen(header(dict.fromkeys(said, 0))) is None


@given(SAID)
def test_only_the_ratio_of_weights_counts(said: dict[str, int]) -> None:
    halved = {media_range: weight // 2 * 2 for media_range, weight in said.items()}
    assert chosen(header({media_range: weight // 2 for media_range, weight in halved.items()})) == chosen(header(halved))


MALFORMED = st.sampled_from(
    [
        "text",
        "text/",
        "text turtle",
        "text/turtle;q=1.1",
        "text/turtle;q=",
        "text/turtle;a",
        "text/turtle;a=b c",
        "a/b;c=(",
        "@/x",
        "é/x",
    ]
)


@given(SAID, st.lists(MALFORMED), st.randoms(use_true_random=False))
def test_a_malformed_member_changes_nothing(said: dict[str, int], malformed: list[str], random: Random) -> None:
    members = header(said).split(", ") + malformed
    random.shuffle(members)
    assert chosen(",".join(members)) == chosen(header(said))


@given(st.text(alphabet='ab,;="\\ q10', max_size=12), st.sampled_from(TYPES))
def test_nothing_in_a_quoted_string_is_read(text: str, media_type: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    assert weights(f'a/b;c="{quoted}", {media_type};q=0.5') == {("a/b", True): 1000, (media_type, False): 500}


@given(st.text(st.characters(max_codepoint=0xFF, exclude_characters="\r\n\0")))
def test_any_text_has_an_answer(accept: str) -> None:
    said = weights(accept)
    assert all(0 <= weight <= 1000 for weight in said.values())
    assert (chosen(accept) is None) <= bool(said)


@pytest.mark.parametrize(
    ("accept", "said"),
    [
        ("text/html;level=1;q=0.5;ext=2", {("text/html", True): 500}),
        ("text/html;q=.25;", {("text/html", False): 250}),
        ("text/html;q=1.;a=b", {("text/html", True): 1000}),
        ("Text/*;Q=0.001", {("text/*", False): 1}),
        ("a/b;q=0.2, A/B", {("a/b", False): 200}),
        ('a/b, c/d;e="f, g/h', {("a/b", False): 1000}),
        ('a/b;q="1"', {}),
        ("a/b;q=0.1;q=0.2", {}),
    ],
)
def test_what_a_header_says(accept: str, said: dict[tuple[str, bool], int]) -> None:
    assert weights(accept) == said


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("text/turtle;charset=utf-8, text/turtle;q=0.1, text/html;q=0.2", "text/html"),
        ("application/json", "application/ld+json"),
        ("application/json, application/ld+json;q=0.1, text/turtle;q=0.2", "text/turtle"),
        ("text/n3;q=0.9, application/rdf+xml;q=0.8", "text/turtle"),
        ("application/xml, text/xml", None),
    ],
)
def test_parameters_and_aliases_count_less_than_the_media_type(accept: str, media_type: str | None) -> None:
    assert chosen(accept) == media_type


@pytest.mark.parametrize(
    "accept",
    ['"\\' * 30000, "a/b;" + " ;" * 30000, "a/b;a=" + "x" * 60000 + "(", '"' * 60000, "a/b" + ";q=1" * 15000, " " * 60000],
)
def test_no_header_takes_long(accept: str) -> None:
    """Each of these takes minutes where a pattern goes back over what it has read."""
    began = time.process_time()
    choose(accept, REPRESENTATIONS)
    assert time.process_time() - began < 2
