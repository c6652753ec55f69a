"""Tokens from Microsoft (by msal) and Google, at a provider on loopback over TLS."""

import json
import threading
from pathlib import Path

import pytest

from tests.issuer import CLIENT_SECRET, Issuer
from tests.web import Said
from triaged.config import OAuth, Secret
from triaged.oauth.google import Google
from triaged.oauth.microsoft import CLOUDS, Microsoft, scopes
from triaged.oauth.tokens import TokenError, Tokens, open_tokens

USER = "mayor@example.gov"


def source(settings: OAuth) -> Tokens:
    return open_tokens(settings, USER, "imap", Path("/"))


@pytest.fixture(params=["secret", "certificate", "person", "service account", "refresh token"])
def settings(request: pytest.FixtureRequest, issuer: Issuer) -> OAuth:
    """Every way to get tokens."""
    if request.param == "secret":
        return issuer.application()
    if request.param == "certificate":
        return issuer.with_certificate()
    if request.param == "service account":
        return issuer.google()
    if request.param == "person":
        source(issuer.settings()).sign_in(lambda _: None)
        return issuer.settings()
    issuer.refresh_tokens.add("from-consent")
    (issuer.folder / "refresh").write_text("from-consent\n")
    return issuer.google(service_account=None, client="c", refresh_token=Secret("file", str(issuer.folder / "refresh")))


def test_a_token_is_good_and_asked_for_once(issuer: Issuer, settings: OAuth) -> None:
    tokens = source(settings)
    first = tokens.get()
    assert issuer.known(first)
    before = len(issuer.requests())
    assert tokens.get() == first
    assert source(settings).get() == first, "a restart takes it from the file"
    assert len(issuer.requests()) == before


def test_the_file_is_readable_by_nobody_else_and_holds_no_secret(issuer: Issuer, settings: OAuth) -> None:
    source(settings).get()
    files = list(settings.folder.iterdir())
    assert files
    assert not any(file.stat().st_mode & 0o077 for file in (settings.folder, *files))
    assert not any(CLIENT_SECRET in file.read_text() for file in files)


def test_a_file_that_others_could_read_is_not_believed(issuer: Issuer) -> None:
    first = source(issuer.application()).get()
    (kept,) = issuer.application().folder.glob("*.json")
    kept.chmod(0o644)
    assert source(issuer.application()).get() != first
    assert not kept.stat().st_mode & 0o077


def test_a_token_is_renewed_before_it_ends(issuer: Issuer, settings: OAuth) -> None:
    issuer.lifetime = 200  # less than a login and a long fetch need
    first = source(settings).get(fresh=True)
    issuer.lifetime = 3600
    second = source(settings).get()
    assert first != second
    assert source(settings).get() == second


def test_a_fresh_token_is_another_one(issuer: Issuer, settings: OAuth) -> None:
    tokens = source(settings)
    first = tokens.get()
    issuer.revoke(refresh=False)
    assert issuer.known(tokens.get(fresh=True))
    assert tokens.get() != first


def test_a_network_error_is_not_a_revoked_token(issuer: Issuer, settings: OAuth) -> None:
    issuer.close()
    with pytest.raises(TokenError, match="not reached") as caught:
        source(settings).get(fresh=True)
    assert not caught.value.permanent


def test_a_provider_in_trouble_is_not_a_revoked_token(issuer: Issuer, settings: OAuth) -> None:
    for said in (Said(503, "busy"), Said(500, {"error": "server_error", "error_description": "later"})):
        issuer.fault = said
        with pytest.raises(TokenError) as caught:
            source(settings).get(fresh=True)
        assert not caught.value.permanent


def test_a_certificate_of_a_stranger_is_refused(issuer: Issuer) -> None:
    from dataclasses import replace

    for settings in (issuer.application(), issuer.google()):
        with pytest.raises(TokenError):
            source(replace(settings, tls_ca=None)).get()
    assert issuer.requests() == []


@pytest.mark.parametrize("kind", ["person", "refresh token"])
def test_a_revoked_sign_in_is_for_a_person_to_mend(issuer: Issuer, kind: str) -> None:
    if kind == "person":
        settings = issuer.settings()
        source(settings).sign_in(lambda _: None)
    else:
        (issuer.folder / "refresh").write_text("no-longer-good\n")
        settings = issuer.google(service_account=None, client="c", refresh_token=Secret("file", str(issuer.folder / "refresh")))
    issuer.revoke()
    with pytest.raises(TokenError, match="invalid_grant") as caught:
        source(settings).get(fresh=True)
    assert caught.value.permanent
    assert "\n" not in str(caught.value)
    assert "Trace ID" not in str(caught.value)
    assert ("run triaged auth" in str(caught.value)) is (kind == "person")


def test_a_wrong_secret_is_for_a_person_to_mend_and_never_said(issuer: Issuer) -> None:
    settings = issuer.application()
    (issuer.folder / "secret").write_text("wr0ng~value")
    with pytest.raises(TokenError, match="invalid_client") as caught:
        source(settings).get()
    assert caught.value.permanent
    assert "wr0ng" not in str(caught.value)
    (issuer.folder / "secret").write_text(CLIENT_SECRET)
    assert source(settings).get()


def test_a_tenant_that_does_not_exist_is_for_a_person_to_mend(issuer: Issuer) -> None:
    with pytest.raises(TokenError, match="tenant") as caught:
        source(issuer.application(tenant="nobody.example")).get()
    assert caught.value.permanent


def test_a_missing_secret_names_where_it_was_looked_for(issuer: Issuer) -> None:
    with pytest.raises(TokenError, match="nowhere") as caught:
        source(issuer.application(secret=Secret("file", "/nowhere"))).get()
    assert caught.value.permanent


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"client_email": "a"}', '{"client_email": "a", "private_key": "pem"}'])
def test_a_key_file_that_is_none_is_said_without_its_content(issuer: Issuer, text: str) -> None:
    settings = issuer.google()
    (issuer.folder / "key.json").write_text(text)
    with pytest.raises(TokenError) as caught:
        source(settings).get()
    assert caught.value.permanent


def test_a_service_account_without_delegation_for_this_user_is_refused(issuer: Issuer) -> None:
    issuer.user = "somebody.else@example.gov"
    with pytest.raises(TokenError, match="unauthorized_client") as caught:
        source(issuer.google()).get()
    assert caught.value.permanent


def test_nobody_signed_in_yet_says_what_to_do(issuer: Issuer) -> None:
    with pytest.raises(TokenError, match="run triaged auth") as caught:
        source(issuer.settings()).get()
    assert caught.value.permanent


def test_a_person_signs_in_by_code_on_another_machine(issuer: Issuer) -> None:
    issuer.pending = 1
    shown: list[str] = []
    assert source(issuer.settings()).sign_in(shown.append) == USER
    assert "ABC-123" in shown[0]
    assert f"{issuer.url}/device" in shown[0]
    assert issuer.known(source(issuer.settings()).get())


def test_one_sign_in_serves_imap_and_smtp(issuer: Issuer) -> None:
    source(issuer.settings()).sign_in(lambda _: None)
    assert open_tokens(issuer.settings(), USER, "smtp", Path("/")).get()
    assert len(issuer.requests()) == 1


def test_a_sign_in_as_somebody_else_is_told(issuer: Issuer) -> None:
    issuer.user = "clerk@example.gov"
    shown: list[str] = []
    assert source(issuer.settings()).sign_in(shown.append) == "clerk@example.gov"
    assert "clerk@example.gov signed in" in shown[-1]
    assert source(issuer.settings()).get()


def test_who_has_a_secret_needs_no_sign_in(issuer: Issuer) -> None:
    for settings in (issuer.application(), issuer.google()):
        with pytest.raises(TokenError):
            source(settings).sign_in(lambda _: None)


def test_a_damaged_file_is_no_obstacle_for_an_application(issuer: Issuer) -> None:
    for settings in (issuer.google(), issuer.application()):
        source(settings).get()
        for kept in settings.folder.glob("*.json"):
            kept.write_text("{")
        assert issuer.known(source(settings).get())


def test_mail_goes_on_while_a_person_signs_in(issuer: Issuer) -> None:
    """Somebody had signed in before; the new sign-in takes minutes."""
    settings = issuer.settings()
    source(settings).sign_in(lambda _: None)
    got: list[str] = []
    source(settings).sign_in(lambda _: got.append(source(settings).get()))
    assert issuer.known(got[0])


def test_threads_that_renew_at_once_lose_no_refresh_token(issuer: Issuer) -> None:
    """Entra takes a refresh token once and gives the next one."""
    settings = issuer.settings()
    source(settings).sign_in(lambda _: None)
    got: list[str] = []
    threads = [threading.Thread(target=lambda: got.append(source(settings).get(fresh=True))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(got)) == 4
    assert len(issuer.refresh_tokens) == 1


def test_each_cloud_has_hosts_of_its_own(issuer: Issuer) -> None:
    assert len({cloud.graph for cloud in CLOUDS.values()}) == len(CLOUDS)
    assert scopes(issuer.application(cloud="usgov"), "graph", application=True) == ["https://graph.microsoft.us/.default"]
    assert scopes(issuer.application(cloud="china"), "imap", application=True) == ["https://partner.outlook.cn/.default"]


def test_a_token_never_shows_in_what_a_source_looks_like(issuer: Issuer) -> None:
    for tokens in (Microsoft(issuer.application(), USER, "imap", Path("/")), Google(issuer.google(), USER, Path("/"))):
        assert tokens.get() not in repr(tokens)


def test_googles_claims_say_who_asks_for_whom(issuer: Issuer) -> None:
    import jwt

    source(issuer.google()).get()
    form = issuer.asked[-1].body.decode()
    assertion = form.partition("assertion=")[2].partition("&")[0]
    claims = jwt.decode(assertion, options={"verify_signature": False})
    assert (claims["iss"], claims["sub"], claims["scope"]) == ("triaged@project.example", USER, "https://mail.google.com/")
    assert json.loads((issuer.folder / "key.json").read_text())["private_key"] not in form
