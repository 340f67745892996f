"""Tips with the real embedder beside the shipped corpus: how soon and how well a published one is found, and how many taps
the round takes. `python -m bench.tips` prints one line of JSON; a dated copy is kept in bench/results.md.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from bot.bootstrap import Yui, build
from bot.config import Settings
from bot.members import CoOp, Grant, Role
from bot.messages import Card, IncomingMessage, Reply
from bot.tips import Draft
from knowledge import FEDERATION, Audience, Question

GIVERS, FINDERS, COORDINATOR = "line:group-of-givers", "line:group-of-finders", "line:coordinator"
# What was told, and how somebody else would ask for it.
TIPS = (
    (
        "夏のお弁当は、ふたの上に保冷剤を2枚置いて配達すると、夕方までいたみませんでした。",
        "暑い時期に弁当が腐らないようにする工夫は?",
    ),
    ("草刈りのあと、刃を灯油でふいておくと、次の週もさびずに使えました。", "草刈り機の刃がさびないようにするには?"),
    ("チラシは新聞に入れるより、直売所のレジに置かせてもらうほうが電話が来ました。", "宣伝のビラはどこに置くと反応がいい?"),
    (
        "会議の最初に1人1分ずつ近況を話すと、ふだんだまっている人も話すようになりました。",
        "話し合いで発言しない人に話してもらうには?",
    ),
    ("雪かきの当番は、前の日の夜8時に電話で決めると、朝もめませんでした。", "除雪の担当をどう割りふってる?"),
    ("送迎の車には予備の毛布と水をいつも積んでおき、渋滞のとき助かりました。", "お年寄りを乗せる車に何を積んでおくとよい?"),
    ("学童では、おやつの前に手洗いの歌を歌うと、全員が30秒洗うようになりました。", "子どもにきちんと手を洗ってもらうコツは?"),
    (
        "空き家の片づけは、最初に写真を撮って持ち主に見せてから始めると、あとで苦情が出ません。",
        "空き家の荷物整理でトラブルを防ぐには?",
    ),
    ("新しい人には、はじめの3日は1人の先輩だけがつくと、早くなれました。", "入ったばかりの人の仕事の教え方は?"),
    ("味噌づくりの豆は前の晩から水につけ、圧力鍋で20分煮ると薪の代金が半分になりました。", "味噌を仕込むとき燃料代を減らすには?"),
    ("レジのお金が合わないときは、その場で2人で数えて、ノートに名前を書くことにしました。", "売上の現金が足りないときどうしてる?"),
    ("畑のいのしし対策は、電気の柵より下の草を毎週刈るほうが効きました。", "いのししに畑を荒らされないためには?"),
    ("カフェのコーヒーは豆を月に2回だけ焼いてもらい、残りを冷凍すると香りが落ちません。", "コーヒー豆の風味を保つ保存のしかたは?"),
    (
        "出資金の話は、全員がいる総会より、2人ずつお茶を飲みながら聞くと本音が出ました。",
        "組合員に出資を増やしてもらう相談のしかたは?",
    ),
    (
        "訪問の掃除では、高い所の電球は2人のときだけかえる決まりにして、けがが減りました。",
        "家事支援で脚立から落ちる事故を防ぐには?",
    ),
    ("竹やぶの整備は、切った竹を粉にして畑にまくと、捨てる手間がなくなりました。", "伐採した竹の処分に困っています"),
    ("補助金の報告書は、毎月末に写真と領収書を1枚の紙にはっておくと、3月に楽でした。", "助成事業の実績報告を楽にする準備は?"),
    ("夜の見回りは、犬の散歩をする人にたすきをかけてもらうと、人が集まりました。", "防犯パトロールの参加者を増やすには?"),
    (
        "高齢の組合員には、メールでなく、大きな字の予定表を月はじめに手わたしすると休む人が減りました。",
        "お年寄りの会員に予定を忘れずに来てもらうには?",
    ),
    (
        "野菜の直売では、料理のしかたを書いた札をつけたら、めずらしい野菜が売れ残らなくなりました。",
        "見なれない野菜を売り切る工夫は?",
    ),
    ("赤字の配食は、配る日を週5日から3日にして、1日に2食分とどけると黒字になりました。", "配食サービスの採算をよくするには?"),
    (
        "子ども食堂のアレルギーは、受付で色のちがうリボンを手首につけてもらい、まちがいがなくなりました。",
        "食物アレルギーの子をまちがえないようにするには?",
    ),
    (
        "木の剪定は、枝を持ち帰らずその場で小さくする機械を借りると、トラックが1台ですみました。",
        "庭木を切ったあとの枝を運ぶ費用を下げるには?",
    ),
    ("役所の人には、書類を出す前に1度現場を見てもらうと、許可が早くおりました。", "行政の手続きを早く進めてもらうには?"),
    (
        "パソコンが苦手な人には、入力でなく、電話で読み上げて確かめる係をたのむと続きました。",
        "機械が不得意な仲間にもできる事務の仕事は?",
    ),
    ("古着のリユースは、季節が変わる2週間前に並べると、いちばん売れました。", "リサイクルの服はいつ店に出すとよい?"),
    (
        "夏の草むしりは朝5時から8時までにして、昼は休みにしたら、熱中症が出ませんでした。",
        "炎天下の外の作業で倒れる人を出さないためには?",
    ),
    (
        "けんかになった2人には、次の週に同じ車で配達へ行ってもらったら、話ができました。",
        "仲間どうしがもめたとき、どうやって仲直りする?",
    ),
    ("利用者の家のかぎは、番号だけのふだをつけて、名簿は別の金庫に入れています。", "あずかった鍵の管理はどうしてる?"),
    ("古い公民館は、窓に梱包用のプチプチをはると、灯油が月に2缶へりました。", "集会所の暖房代を節約する方法は?"),
)
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


def prepare(yui: Yui) -> None:
    yui.knowledge.align()
    for co_op, group in (("givers", GIVERS), ("finders", FINDERS)):
        yui.members.put_co_op(CoOp(co_op, co_op))
        yui.members.link(group, co_op)
    yui.members.give(COORDINATOR, Grant(Role.COORDINATOR))


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


async def run(yui: Yui) -> dict[str, object]:
    asked_for: dict[str, str] = {}
    for text, question in TIPS:
        draft = Draft(text, audience=Audience.of(FEDERATION))
        asked_for[yui.curation.offer(draft, author="line:giver", conversation=GIVERS, co_op="givers").id] = question
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
        "tips": len(TIPS),
        "found": {rank: ranks.count(rank) for rank in ("told", "told second", "offered", "not found")},
        "tap to found, s": {"p50": round(float(np.median(seconds)), 2), "max": round(max(seconds), 2)},
        "round": {"waiting": waiting, "left": left, "taps": taps, "messages": messages},
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        yui = build(Settings(data_dir=Path(scratch), _env_file=None))
        prepare(yui)
        print(json.dumps(asyncio.run(run(yui)), ensure_ascii=False))
        yui.close()


if __name__ == "__main__":
    main()
