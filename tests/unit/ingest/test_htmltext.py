import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ingest.letters import message
from triaged.ingest.htmltext import to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("one<br>two<br/><br>three", "one\ntwo\n\nthree"),
        ("<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"),
        ("a  b\n c&nbsp;d", "a b c d"),
        ("&lt;b&gt; &amp; &eacute; &#233; &#x20AC; &unknown;", "<b> & é é € &unknown;"),
        ("<ul><li>one<li>two</ul>", "- one\n- two"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a\tb\nc"),
        ("<table><tr><td><p>a</p></td>\n<td><div>b</div></td></tr></table>", "a\tb"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<script>x</script><style>y</style><title>z</title>seen", "seen"),
        ("<script>never closed", "never closed"),
        ("<!-- hidden -->seen<!--[if mso]>hidden<![endif]-->", "seen"),
        ("<!-- never closed", "never closed"),
        ('<div style="display: none">hidden<div>too</div></div>seen', "seen"),
        ("<span style='font-size:0px'>hidden</span><p hidden>hidden</p>seen", "seen"),
        ('<span style="font-size:0.9em">seen</span>', "seen"),
        ('<div style="display:none">all of it', "all of it"),
        ('<a href="https://example.org/a">here</a>', "here <https://example.org/a>"),
        ('<a href="https://www.example.org/">example.org</a>', "example.org"),
        ('<a href="mailto:a@example.org">a@example.org</a>', "a@example.org"),
        ('<a href="javascript:alert(1)">x</a>', "x"),
        ('<img alt="City seal" src="x"><img src="y">', "[City seal]"),
        ('<p title="a>b">text</p>', "text"),
        ("5 < 6 and 7 > 2", "5 < 6 and 7 > 2"),
        ("write to <rosa@example.org> now", "write to <rosa@example.org> now"),
        ('<p class="never closed>text</p>', "text"),
        ("Straßen\u00adlaterne\u200b", "Straßenlaterne"),
        (
            '<blockquote type="cite">old<blockquote type="cite">older</blockquote></blockquote>new',
            "> old\n>\n>> older\n>>\nnew",
        ),
        ("<blockquote>set in</blockquote>", "set in"),
        ('<div>text</div><div class="gmail_signature">Rosa</div>', "text\n-- \nRosa"),
        ("", ""),
    ],
)
def test_html_becomes_what_a_reader_sees(html: str, text: str) -> None:
    assert to_text(html) == text


def test_a_whole_html_mail_reads_like_a_letter() -> None:
    assert message("html-only-with-hidden-preheader").text == (
        "Dear Mayor,\n\nthe boiler is out & it’s 40 degrees. Photo <https://example.org/photo>\n\n"
        "- no heat\n- no hot water\n\nAddress\t22 Oak Street\nFloor\t3"
    )


PIECES = [
    "<",
    ">",
    "</",
    "<!--",
    "-->",
    "<a ",
    "<p",
    "<div>",
    "</div>",
    '"',
    "'",
    "=",
    "&",
    ";",
    "style",
    "display:none",
    " ",
    "x",
    "td>",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_order_of_marks_is_read_without_raising(html: str) -> None:
    to_text(html)


@given(st.lists(st.text(alphabet="abc<>&é", min_size=1, max_size=10).map(str.strip).filter(bool), min_size=1, max_size=8))
def test_no_text_between_well_formed_tags_is_lost(words: list[str]) -> None:
    from html import escape

    shown = to_text("<div>" + "</div><div>".join(f"<b>{escape(word)}</b>" for word in words) + "</div>")
    assert shown.split("\n") == words
