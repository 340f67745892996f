"""The way of a tip: offered, found by one's own, reviewed, published, undone, withdrawn for good."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.errors import UserMistake
from bot.members import Grant, Role
from bot.tips.mistakes import refusal
from bot.tips.tip import Action, Consent, Draft, TipState, Verdict
from bot.wording import LANGUAGES
from knowledge import FEDERATION, PUBLIC, Audience, Database
from tests.bot.people import (
    FEDERATIONS,
    GIVER,
    LUNCH,
    NOBODYS_GROUP,
    OTHER,
    SUZAKAS_COORDINATOR,
    SUZAKAS_GROUP,
    UEDA,
    UEDAS_COORDINATOR,
    UEDAS_GROUP,
    People,
    people,
)


@pytest.fixture
def here(database: Database, tmp_path: Path) -> Iterator[People]:
    with people(database, tmp_path) as found:
        yield found


def test_ones_own_group_finds_a_tip_at_once_and_others_after_review(here: People) -> None:
    tip = here.offer()
    assert here.finds(UEDAS_GROUP) == [tip]
    assert here.finds(SUZAKAS_GROUP) == []
    assert not here.curation.attributions([tip])[tip].verified
    assert here.curation.decide(tip, 1, Action.PUBLISH, UEDAS_COORDINATOR).verdict is Verdict.DONE
    assert here.finds(SUZAKAS_GROUP) == [tip]
    assert here.finds(NOBODYS_GROUP) == []
    assert here.curation.attributions([tip])[tip].verified


def test_a_group_of_no_co_op_finds_its_own_tip_alone(here: People) -> None:
    tip = here.offer(co_op="")
    assert here.finds(NOBODYS_GROUP) == [tip]
    assert here.finds(UEDAS_GROUP) == here.finds(SUZAKAS_GROUP) == []


def test_a_decision_is_taken_once(here: People) -> None:
    tip = here.offer()
    decide = here.curation.decide
    assert decide(tip, 1, Action.PUBLISH, UEDAS_COORDINATOR).verdict is Verdict.DONE
    assert decide(tip, 1, Action.PUBLISH, FEDERATIONS).verdict is Verdict.ALREADY
    assert decide(tip, 2, Action.PUBLISH, FEDERATIONS).verdict is Verdict.CHANGED
    assert decide("tip-0", 1, Action.PUBLISH, FEDERATIONS).verdict is Verdict.GONE
    assert [key for key, _ in here.notices.take([GIVER])] == ["tip_published"]


def test_two_at_once_decide_once(here: People) -> None:
    tip = here.offer()
    verdicts: list[Verdict] = []
    together = threading.Barrier(2)

    def press(reviewer: str, action: Action) -> None:
        together.wait()
        verdicts.append(here.curation.decide(tip, 1, action, reviewer).verdict)

    both = [(UEDAS_COORDINATOR, Action.PUBLISH), (FEDERATIONS, Action.DECLINE)]
    threads = [threading.Thread(target=press, args=who) for who in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = here.curation.history(tip, FEDERATIONS)
    assert history is not None
    # A published tip may be declined afterwards, so both may be done one after the other; never both upon the same state.
    assert len(history.decisions) == verdicts.count(Verdict.DONE) >= 1
    befores = [d.before["state"] for d in history.decisions]
    assert len(set(befores)) == len(befores)


def test_only_its_own_coordinators_decide_and_see(here: People) -> None:
    tip = here.offer()
    assert here.curation.decide(tip, 1, Action.PUBLISH, SUZAKAS_COORDINATOR).verdict is Verdict.NOT_ALLOWED
    assert here.curation.decide(tip, 1, Action.PUBLISH, OTHER).verdict is Verdict.NOT_ALLOWED
    assert here.curation.tip(tip, SUZAKAS_COORDINATOR) is None
    assert here.curation.history(tip, OTHER) is None
    assert here.curation.queue(SUZAKAS_COORDINATOR) == []
    assert [w.tip.id for w in here.curation.queue(FEDERATIONS)] == [tip]
    assert here.curation.tip(tip, GIVER) is not None


def test_undo_brings_back_what_was_before(here: People) -> None:
    tip = here.offer()
    here.curation.decide(tip, 1, Action.PUBLISH, UEDAS_COORDINATOR)
    assert here.curation.undo(tip, SUZAKAS_COORDINATOR).verdict is Verdict.NOT_ALLOWED
    assert here.curation.undo(tip, UEDAS_COORDINATOR).verdict is Verdict.DONE
    assert here.finds(SUZAKAS_GROUP) == []
    assert [w.tip.state for w in here.curation.queue(UEDAS_COORDINATOR)] == [TipState.WAITING]
    assert here.curation.undo(tip, UEDAS_COORDINATOR).verdict is Verdict.ALREADY
    assert here.curation.decide(tip, 1, Action.PUBLISH, UEDAS_COORDINATOR).verdict is Verdict.DONE


@pytest.mark.parametrize("action", [Action.ASK_BACK, Action.DECLINE])
def test_the_giver_hears_what_became_of_it_and_why(here: People, action: Action) -> None:
    tip = here.offer()
    here.curation.decide(tip, 1, action, UEDAS_COORDINATOR, reason="いつのことですか")
    ((key, values),) = here.notices.take([GIVER])
    assert key == {Action.ASK_BACK: "tip_asked_back", Action.DECLINE: "tip_declined"}[action]
    assert values["reason"] == "いつのことですか"
    assert here.notices.take([GIVER]) == []
    assert here.finds(UEDAS_GROUP) == ([tip] if action is Action.ASK_BACK else [])


def test_a_new_version_waits_again_and_the_old_one_cannot_be_published(here: People) -> None:
    tip = here.offer()
    here.curation.decide(tip, 1, Action.PUBLISH, UEDAS_COORDINATOR)
    here.curation.change(tip, GIVER, Draft("夏のお弁当は、保冷剤を3枚にしました。", audience=Audience.of(PUBLIC)))
    assert here.finds(SUZAKAS_GROUP) == []
    assert here.curation.decide(tip, 1, Action.PUBLISH, UEDAS_COORDINATOR).verdict is Verdict.CHANGED
    assert here.curation.decide(tip, 2, Action.PUBLISH, UEDAS_COORDINATOR).verdict is Verdict.DONE
    assert here.finds(NOBODYS_GROUP) == [tip]
    history = here.curation.history(tip, GIVER)
    assert history is not None
    assert [v.content["text"] for v in history.versions] == [LUNCH, "夏のお弁当は、保冷剤を3枚にしました。"]


def test_nobody_else_changes_or_withdraws_it(here: People) -> None:
    tip = here.offer()
    for wish in (lambda: here.curation.withdraw(tip, OTHER), lambda: here.curation.change(tip, OTHER, Draft("ちがう話です。"))):
        with pytest.raises(UserMistake):
            wish()
    assert here.finds(UEDAS_GROUP) == [tip]


def test_withdrawn_is_gone_everywhere(here: People) -> None:
    tip = here.offer()
    here.curation.decide(tip, 1, Action.PUBLISH, UEDAS_COORDINATOR, reason="よいコツ")
    here.curation.withdraw(tip, GIVER)
    assert here.finds(UEDAS_GROUP) == here.finds(SUZAKAS_GROUP) == []
    assert here.curation.mine(GIVER) == []
    assert here.curation.tip(tip, UEDAS_COORDINATOR) is None
    assert here.curation.undo(tip, UEDAS_COORDINATOR).verdict is Verdict.GONE
    with here.database.read() as c:
        rows = [row for t in ("tips", "tip_versions", "decisions") for row in c.exec_driver_sql(f"SELECT * FROM {t}")]  # noqa: S608
    held = str(rows)
    assert "保冷剤" not in held
    assert "よいコツ" not in held


def test_withdrawn_stays_gone_when_an_older_database_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "yui.db"
    database = Database(f"sqlite:///{file}")
    with people(database, tmp_path) as here:
        tip = here.offer()
        database.empty_log()
        backup = file.read_bytes()
        here.curation.withdraw(tip, GIVER)
    database.close()
    file.write_bytes(backup)
    for rest in ("-wal", "-shm"):
        file.with_name(file.name + rest).unlink(missing_ok=True)
    restored = Database(f"sqlite:///{file}")
    with people(restored, tmp_path) as here:
        here.curation.reconcile()
        assert here.finds(UEDAS_GROUP) == []
        assert here.curation.mine(GIVER) == []
    restored.close()


def test_a_crash_between_row_and_index_is_mended_at_the_next_start(here: People) -> None:
    tip = here.offer()
    here.knowledge.delete([tip])
    assert here.finds(UEDAS_GROUP) == []
    here.curation.reconcile()
    assert here.finds(UEDAS_GROUP) == [tip]


def test_names_stand_there_only_with_consent(here: People) -> None:
    ids = [
        here.offer(consent=Consent.NAME, author_name="ゆき"),
        here.offer("チラシは公民館の印刷機が安いです。", consent=Consent.CO_OP),
        here.offer("会議は月1回、夜にしています。", consent=Consent.ANONYMOUS, author_name="ゆき"),
    ]
    told = here.curation.attributions(ids)
    assert [told[i].who for i in ids] == ["ゆきさん", "労協うえだ", ""]
    history = here.curation.history(ids[2], GIVER)
    assert history is not None
    assert history.tip.draft.author_name == ""


def test_an_expired_tip_is_hidden_and_one_past_its_check_waits_again(here: People) -> None:
    expiring, checked = here.offer(), here.offer("チラシは公民館の印刷機が安いです。")
    day = here.clock.now.date()
    here.curation.decide(expiring, 1, Action.PUBLISH, UEDAS_COORDINATOR, expires_at=day + dt.timedelta(days=10))
    here.curation.decide(checked, 1, Action.PUBLISH, UEDAS_COORDINATOR)
    assert here.curation.queue(UEDAS_COORDINATOR) == []
    here.clock.now += dt.timedelta(days=370)
    assert [w.tip.id for w in here.curation.queue(UEDAS_COORDINATOR)] == [checked]
    assert expiring not in here.finds(SUZAKAS_GROUP)
    assert here.curation.decide(checked, 1, Action.PUBLISH, UEDAS_COORDINATOR).verdict is Verdict.DONE
    assert here.curation.queue(UEDAS_COORDINATOR) == []


def test_merging_hides_the_one_and_names_the_other(here: People) -> None:
    kept, merged = here.offer(), here.offer("お弁当の夏のふたに保冷剤を2枚置くといたまないです。")
    with pytest.raises(UserMistake):
        here.curation.decide(merged, 1, Action.MERGE, UEDAS_COORDINATOR, into="tip-0")
    assert here.curation.decide(merged, 1, Action.MERGE, UEDAS_COORDINATOR, into=kept).verdict is Verdict.DONE
    assert here.finds(UEDAS_GROUP) == [kept]


def test_a_postponed_tip_comes_back_after_a_week(here: People) -> None:
    tip = here.offer()
    here.curation.decide(tip, 1, Action.POSTPONE, UEDAS_COORDINATOR)
    assert here.curation.queue(UEDAS_COORDINATOR) == []
    here.clock.now += dt.timedelta(days=8)
    assert [w.tip.id for w in here.curation.queue(UEDAS_COORDINATOR)] == [tip]


def test_the_verifier_falls_back_to_somebody_who_is_there(here: People) -> None:
    tip = here.offer()
    here.curation.decide(tip, 1, Action.PUBLISH, FEDERATIONS)
    held = here.curation.tip(tip, FEDERATIONS)
    assert held is not None
    assert here.curation.verifier_of(held) == FEDERATIONS
    here.members.forget(FEDERATIONS)
    assert here.curation.verifier_of(held) == UEDAS_COORDINATOR
    here.members.forget(UEDAS_COORDINATOR)
    assert here.curation.verifier_of(held) == ""


@pytest.mark.parametrize(("text", "told"), [("あ", "短すぎます"), ("  \u200b\u202e ", "短すぎます"), ("あ" * 20_000, "長すぎます")])
def test_what_cannot_be_a_tip_is_said_so(here: People, text: str, told: str) -> None:
    with pytest.raises(UserMistake, match=told):
        here.offer(text)
    assert here.curation.mine(GIVER) == []


def test_what_cannot_be_is_said_in_every_language(here: People) -> None:
    tip = here.offer(audience=Audience.of(f"coop:{UEDA}"))
    wishes: dict[str, Callable[[], object]] = {
        "too short": lambda: here.offer("あ"),
        "too long": lambda: here.offer("あ" * 20_000),
        "not one's own": lambda: here.curation.withdraw(tip, OTHER),
        "no such tip": lambda: here.curation.remove("tip-0", UEDAS_COORDINATOR),
        "too wide": lambda: here.curation.decide(tip, 1, Action.PUBLISH, UEDAS_COORDINATOR, audience=Audience.of(PUBLIC)),
        "no target": lambda: here.curation.decide(tip, 1, Action.MERGE, UEDAS_COORDINATOR, into="tip-0"),
        "no reviewer": lambda: here.curation.decide(tip, 1, Action.HAND_OVER, UEDAS_COORDINATOR, into=OTHER),
    }
    for wish in wishes.values():
        with pytest.raises(UserMistake) as caught:
            wish()
        told = {language: refusal(caught.value, language) for language in LANGUAGES}
        assert len(set(told.values())) == len(LANGUAGES)
        assert told["ja"] == str(caught.value)
        assert not any("{" in text for text in told.values())


def test_markup_is_only_text(here: People) -> None:
    text = "<script>alert(1)</script> @everyone <@123> [x](javascript:1) とてもよい\x00コツです。"
    tip = here.offer(text, place="<b>上田</b>")
    held = here.curation.tip(tip, GIVER)
    assert held is not None
    assert held.draft.text == text.replace("\x00", "")
    assert held.draft.place == "<b>上田</b>"


def test_articles_that_a_tip_names_are_linked(here: People) -> None:
    held = here.curation.tip(here.offer("第２７条の届出は、県の窓口で30分でした。第九十四条の三も聞きました。"), GIVER)
    assert held is not None
    assert held.articles == ("第27条", "第94条の3")


def test_forgetting_a_person_withdraws_what_they_gave(here: People) -> None:
    here.offer()
    here.curation.forget(GIVER)
    assert here.finds(UEDAS_GROUP) == []


def test_nobody_publishes_a_tip_for_more_people_than_its_giver_chose(here: People) -> None:
    tip = here.offer(audience=Audience.of(f"coop:{UEDA}"))
    for wider in (FEDERATION, PUBLIC, "coop:suzaka"):
        with pytest.raises(UserMistake, match="広く"):
            here.curation.decide(tip, 1, Action.PUBLISH, UEDAS_COORDINATOR, audience=Audience.of(wider))
    assert here.curation.decide(tip, 1, Action.PUBLISH, UEDAS_COORDINATOR).verdict is Verdict.DONE
    assert here.finds(SUZAKAS_GROUP) == []
    assert here.finds(UEDAS_GROUP) == [tip]


def test_a_tip_may_be_published_for_fewer(here: People) -> None:
    tip = here.offer(audience=Audience.of(PUBLIC))
    here.curation.decide(tip, 1, Action.PUBLISH, UEDAS_COORDINATOR, audience=Audience.of("coop:suzaka"))
    assert here.finds(SUZAKAS_GROUP) == here.finds(UEDAS_GROUP) == [tip]
    assert here.finds(NOBODYS_GROUP) == []


def test_programs_look_after_no_tip(here: People) -> None:
    here.members.give("api:website", Grant(Role.COORDINATOR, UEDA))
    here.members.give("cli:operator", Grant(Role.ADMIN))
    held = here.curation.tip(here.offer(), UEDAS_COORDINATOR)
    assert held is not None
    assert here.curation.verifier_of(held) == UEDAS_COORDINATOR
    here.members.forget(UEDAS_COORDINATOR)
    here.members.forget(FEDERATIONS)
    assert here.curation.verifier_of(held) == ""
