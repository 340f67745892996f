"""Tips with the real embedder beside the shipped corpus: how soon and how well a published one is found, and how many taps
the round takes, without and with what its giver says it helps for. `python -m bench.tips` prints a line of JSON for each; a dated
copy is kept in bench/results.md.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from bot.bootstrap import Yui, build
from bot.config import Settings
from bot.members import CoOp, Grant, Role
from bot.messages import Card, IncomingMessage, Reply
from bot.tips.tip import Draft
from knowledge import FEDERATION, Audience, Question
from knowledge.languages import ja

ROOT = Path(__file__).parent.parent
GIVERS, FINDERS, COORDINATOR = "line:group-of-givers", "line:group-of-finders", "line:coordinator"
# What was told (`tip`), what its giver would answer to 「どんなときに役立ちますか」 (`helps`), how somebody else would ask
# (`asked`).
# `own_words`: `helps` was written after `asked`, by a rule: the plain question that the tip answers, in the words of the tip and
# those below, so that nothing of `asked` can have gone into it. `told_first`: in free words, before any `asked` was written.
ASKED = ROOT / "tests" / "tips" / "asked.jsonl"
# What asks, and what a tip says of a thing turned into what somebody wants: 減った to 減らす.
_ASKING = frozenset({"為る", "貰う", "よう", "こと", "時", "物", "なくす", "減らす", "出す", "集める", "続ける"})
# Asked by several, answered by nobody.
UNANSWERED = (
    "配達用の自転車のパンク修理はどうしていますか", "組合員の誕生日会は何をしていますか", "ホームページはだれが更新していますか",
    "保育のボランティア保険はどこで入れますか", "コピー機はリースと購入のどちらがよいですか", "電話番の当番表はどう作りますか",
    "農機具の共同購入の積み立てはいくらですか", "祭りの屋台の保健所の届けは何日かかりますか", "貸し布団屋はどこを使っていますか",
    "作業着の洗濯はだれがしますか", "台風の日の休業の連絡網はどうしますか", "見学の人から謝礼をもらっていますか",
    "看板の文字の塗りなおしはいくらでしたか", "猫が畑に入るのを防ぐには?", "古いトラックの車検は毎回どこに出しますか",
    "会報の印刷は何部していますか", "手話のできる人をどうさがしましたか", "地域通貨をためしたところはありますか",
    "楽器の練習場所を貸すときの料金は?", "薪ストーブの煙の苦情にどう答えますか",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    set: str
    tip: str
    helps: str
    asked: str


def prepare(yui: Yui) -> None:
    yui.knowledge.align()
    for co_op, group in (("givers", GIVERS), ("finders", FINDERS)):
        yui.members.put_co_op(CoOp(co_op, co_op))
        yui.members.link(group, co_op)
    yui.members.give(COORDINATOR, Grant(Role.COORDINATOR))
    yui.keep_up()  # as a running bot does each minute


async def say(yui: Yui, text: str, press: str = "") -> Reply:
    reply = await yui.conversations.reply_to(IncomingMessage(COORDINATOR, text, COORDINATOR, press=press))
    assert reply is not None
    return reply


def button(card: Card, label: str) -> str:
    return next(c.data for c in card.choices if c.text == label)


def found_at(yui: Yui, tip: str, question: str) -> str:
    """Where somebody of another co-op meets the tip: told first, told second, offered, or not at all."""
    answer = yui.knowledge.answer(Question(question, yui.members.audience(FINDERS, group=True)))
    if tip in answer.told:
        return ("told", "told second")[answer.told.index(tip) > 0]
    return "offered" if tip in [m.document.id for m in answer.nearest] else "not found"


def in_its_own_words(text: str, question: str) -> bool:
    """Whether a question brings no word that its tip doesn't have."""
    words, asked = ({m.normalized_form() for m in ja.morphemes(t) if ja.is_content(m)} for t in (text, question))
    return asked <= words | _ASKING


async def run(yui: Yui, told: Sequence[Told], *, helps: bool) -> dict[str, object]:
    """`helps`: whether the givers have said when their tips help."""
    asked_for: dict[str, str] = {}
    for t in told:
        draft = Draft(t.tip, question=t.helps if helps else "", audience=Audience.of(FEDERATION))
        asked_for[yui.curation.offer(draft, author="line:giver", conversation=GIVERS, co_op="givers").id] = t.asked
    for question in UNANSWERED:
        yui.questions.record(question, asker="line:asker", conversation=FINDERS, co_op="finders", nearest=())
    waiting = len(yui.curation.queue(COORDINATOR)) + len(yui.questions.topics(COORDINATOR))
    taps, messages, seconds, ranks = 1, 0, list[float](), list[str]()
    reply = await say(yui, "確認")
    while reply.cards:
        for card in reply.cards:
            taps += 1
            if "質問" in card.title:
                await say(yui, "", button(card, "答える"))
                reply = await say(yui, "うちでは、当番が月のはじめに決めています。")
                messages += 1
                continue
            data = button(card, "公開")
            tip = data.split(".")[0]
            before = found_at(yui, tip, asked_for[tip])
            assert before == "not found", "found before it was published"
            pressed = time.perf_counter()
            reply = await say(yui, "", data)
            ranks.append(found_at(yui, tip, asked_for[tip]))
            seconds.append(time.perf_counter() - pressed)
    left = len(yui.curation.queue(COORDINATOR)) + len(yui.questions.topics(COORDINATOR))
    return {
        "tips": len(told),
        "found": {rank: ranks.count(rank) for rank in ("told", "told second", "offered", "not found")},
        "tap to found, s": {"p50": round(float(np.median(seconds)), 2), "max": round(max(seconds), 2)},
        "round": {"waiting": waiting, "left": left, "taps": taps, "messages": messages},
    }


def main() -> None:
    every = [Told(**json.loads(line)) for line in ASKED.read_text("utf-8").splitlines()]
    foreign = [t.helps for t in every if t.set == "own_words" and not in_its_own_words(t.tip, t.helps)]
    assert not foreign, f"not in the words of the tip: {foreign}"
    for name, helps in product(dict.fromkeys(t.set for t in every), (False, True)):
        with tempfile.TemporaryDirectory() as scratch:
            yui = build(Settings(data_dir=Path(scratch), _env_file=None))
            prepare(yui)
            found = asyncio.run(run(yui, [t for t in every if t.set == name], helps=helps))
            print(json.dumps({"set": name, "givers said when it helps": helps} | found, ensure_ascii=False))
            yui.close()


if __name__ == "__main__":
    main()
