"""Talks about a tip as women of 50 to 75 write them: in dialect, in pieces, with corrections, questions and doubts in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.tips.tip import Consent, Draft
from knowledge import FEDERATION, PUBLIC, Audience, Database
from tests.bot.people import GIVER, NOBODYS_GROUP, OTHER
from tests.bot.tip_chat import Chat, chatting, choices

DISHES = "洗いものは人が少ない時間にまとめる"
OWN = Audience.of("coop:ueda")


@pytest.fixture
def chat(sqlite: Database, tmp_path: Path) -> Iterator[Chat]:
    with chatting(sqlite, tmp_path) as found:
        yield found


@pytest.mark.parametrize(
    ("said", "draft"),
    [
        (  # dialect
            f"コツ：{DISHES}/うちの台所です/えーと、おととしの夏かいのう/うまくいったで/名前は出さんといて/みんなに見せてええよ/わからん/ほな送って",
            Draft(DISHES, "うちの台所", "おととしの夏かいのう", "うまくいったで", audience=Audience.of("coop:ueda", FEDERATION)),
        ),
        (  # nothing to say, each time in other words
            f"コツ：{DISHES}/すいません、とばしてください/えっと…わすれちゃった/とくにないわ/名無しで/うちだけでいい/ないです/これで送ってください",
            Draft(DISHES, audience=OWN),
        ),
        (  # when it may be skipped, in katakana, with a doubt that says nothing
            f"コツ：{DISHES}/トバス/いつだったっけ？/ﾅｼ/とくめい/組合だけ/思いつかない/はい、送ります",
            Draft(DISHES, audience=OWN),
        ),
        (  # a name, and everybody
            f"コツ：{DISHES}/パスで/知らん/何もないです/名前出してええよ/花子/だれでも見てええよ/とくに/送信",
            Draft(DISHES, consent=Consent.NAME, author_name="花子", audience=Audience.of("coop:ueda", PUBLIC)),
        ),
        (  # the name and the readers are told before they are asked for
            f"コツ：{DISHES}/うちのグループだけにして/恥ずかしいから匿名で/厨房/先週/早く終わった/とばす/送る",
            Draft(DISHES, "厨房", "先週", "早く終わった", audience=OWN),
        ),
        (  # and changed when it is looked at
            f"コツ：{DISHES}/とばす/とばす/とばす/名前で/よしこ/だれでも/とばす/やっぱり名前は出さないで/やっぱりうちだけにして/場所は調理場です/送る",
            Draft(DISHES, "調理場", audience=OWN),
        ),
        (  # a day where a place was asked, a place where a day was
            f"コツ：{DISHES}/先月の20日/公民館で/早く終わった/送る",
            Draft(DISHES, "公民館", "先月の20日", "早く終わった", audience=OWN),
        ),
        (  # back, in own words
            f"コツ：{DISHES}/上田市の配達/さっきのにもどりたい/須坂市の配達/あ、まちがえた/長野市の配達/送る",
            Draft(DISHES, "長野市の配達", audience=OWN),
        ),
        (  # any piece mended at any time
            f"コツ：{DISHES}/厨房/さっきの直したい/場所/事務所/先週/なおしたい/いつのところ/先月/送る",
            Draft(DISHES, "事務所", "先月", audience=OWN),
        ),
        (  # words of other steps are neither a place nor a time
            f"コツ：{DISHES}/このままでいい/同じ/厨房/ちがう経験/消す/先週/送る",
            Draft(DISHES, "厨房", "先週", audience=OWN),
        ),
        (  # what says nothing
            f"コツ：/あ、ごめん/{DISHES}/うん/そうそう/ちょっと待ってね/厨房/送る",
            Draft(DISHES, "厨房", audience=OWN),
        ),
        (  # double taps
            f"コツを書く/コツを書く/{DISHES}/{DISHES}/コツ：{DISHES}/厨房/とばす/とばす/匿名で/匿名で/うちの組合だけ/うちの組合だけ/とばす/送る/送る",
            Draft(DISHES, "厨房", audience=OWN),
        ),
    ],
)
def test_a_talk_in_own_words_becomes_the_tip_that_was_meant(chat: Chat, said: str, draft: Draft) -> None:
    chat.say(*said.split("/"))
    assert chat.only.draft == draft


@pytest.mark.parametrize(
    ("said", "text", "place", "happened"),
    [
        ("当番を3人で回すと楽になりました/あ、ちがう、3人じゃなくて4人", "当番を4人で回すと楽になりました", "", ""),
        ("当番を3人で回すと楽になりました/厨房/あ、ごめん、4人でした", "当番を4人で回すと楽になりました", "厨房", ""),
        ("当番を3人で回した/公民館/ちがう、公民館じゃなくて集会所です", "当番を3人で回した", "集会所", ""),
        ("当番を3人で回した/公民館/去年の4月/まちがえた、5月です", "当番を3人で回した", "公民館", "去年の5月"),
        ("当番を3人で回した/公民館/去年の4月/間違い。おととしの春", "当番を3人で回した", "公民館", "おととしの春"),
        ("当番を3人で回した/組合じゃなくて近所の集まりです", "当番を3人で回した", "組合じゃなくて近所の集まり", ""),
    ],
)
def test_what_is_corrected_is_put_right_where_it_stands(chat: Chat, said: str, text: str, place: str, happened: str) -> None:
    first, *more = said.split("/")
    chat.say(f"コツ：{first}", *more, "送る")
    draft = chat.only.draft
    assert (draft.text, draft.place, draft.happened) == (text, place, happened)


@pytest.mark.parametrize(
    "text",
    """コツを登録したいんだけどどうすればいい？/いい方法があるんだけど書いていい？/すみません、コツを書きたいんですけど/コツ登録
うちのやり方教えてあげようか/コツ、登録できますか？/教えたいことがある""".replace("\n", "/").split("/"),
)
def test_whoever_wants_to_tell_is_asked_to(chat: Chat, text: str) -> None:
    assert "何をしましたか" in chat.say(text).text
    assert "何をしましたか" in chat.say(text).text  # once more, it is no tip


@pytest.mark.parametrize(
    "text",
    [
        "こつ教えて",
        "コツ知りたい",
        "何かいいコツない？",
        "コツを教えてもらいたいんだけど",
        "いい方法を教えてほしい",
        "聞きたいことがある",
        "コツって大事よね",
    ],
)
def test_whoever_wants_to_be_told_begins_nothing(chat: Chat, text: str) -> None:
    assert chat.hear(text) is None


@pytest.mark.parametrize(
    "opening",
    [f"コツですが、{DISHES}", f"コツなんですけど{DISHES}", f"もう1つコツ：{DISHES}", f"コツは、{DISHES}ことです"],
)
def test_a_tip_begins_without_the_sign(chat: Chat, opening: str) -> None:
    chat.say(opening, "送る")
    assert chat.only.draft.text.startswith(DISHES)


@pytest.mark.parametrize(
    "text", ["これってだれが見るの？", "どこに出るの？", "名前って出るの?", "電話番号とか出ない？", "あとで消せるの？"]
)
def test_who_asks_where_it_goes_is_told_and_the_talk_goes_on(chat: Chat, text: str) -> None:
    chat.say(f"コツ：{DISHES}")
    told = chat.say(text).text
    assert "だれにも見えません" in told
    assert "どこで" in told
    chat.say("厨房", "送る")
    assert chat.only.draft.place == "厨房"
    assert "だれにも見えません" in chat.say(text).text


@pytest.mark.parametrize(
    "text", ["やっぱりやめる", "やっぱやめとくわ", "やっぱりいいです", "もうやめときます", "やっぱり送らないで"]
)
def test_who_thinks_better_of_it_sends_nothing_and_loses_nothing(chat: Chat, text: str) -> None:
    chat.say(f"コツ：{DISHES}", "厨房")
    assert "7日間" in chat.say(text).text
    assert not chat.waits("去年の夏")
    chat.say("さっきのコツのつづき", "送る")
    assert chat.only.draft.place == "厨房"


def test_one_sentence_in_five_messages_is_one_text(chat: Chat) -> None:
    chat.say("コツ：")
    for part in ("お弁当の", "ふたの上に", "保冷剤を", "2枚置くと"):
        assert chat.say(part, after=15).text == "はい、つづきをどうぞ。"
    assert "どこ" in chat.say("いたまなかったよ〜😊").text
    chat.say("うちの台所", "送る")
    assert chat.only.draft.text == "お弁当のふたの上に保冷剤を2枚置くといたまなかったよ〜😊"


def test_a_tip_that_only_asks_is_said_to_be_a_question(chat: Chat) -> None:
    assert "質問のよう" in chat.say("コツ：お弁当がいたまないようにするにはどうしたらいい？").text
    chat.say(DISHES, "送る")
    assert chat.only.draft.text == DISHES


@pytest.mark.parametrize("text", ["はい", "お願いします", "これでいい", "OK"])
def test_what_is_no_word_to_send_says_that_nothing_was_sent(chat: Chat, text: str) -> None:
    chat.say(f"コツ：{DISHES}", "とばす", "とばす", "とばす", "とばす", "とばす", "とばす")
    assert "まだ送っていません" in chat.say(text).text
    assert chat.tips == []


@pytest.mark.parametrize("yes", ["はい", "お願いします", "名前は消しといて", "消してほしい"])
def test_a_name_is_taken_out_in_own_words(chat: Chat, yes: str) -> None:
    chat.say("コツ：佐藤花子さんの結び方がほどけません", "送る", "うーん", yes, "送る")
    assert "佐藤" not in chat.only.draft.text


@pytest.mark.parametrize(
    ("word", "is_same"), [("これとおんなじだわ", True), ("うちは違った", False), ("つけたしたいことがあります", False)]
)
def test_a_similar_tip_is_answered_in_own_words(chat: Chat, word: str, *, is_same: bool) -> None:
    chat.people.offer(DISHES, author=OTHER)
    assert "もうあります" in chat.say(f"コツ：{DISHES}と楽", "送る").text
    assert ("同じ経験" in chat.say(word).text) == is_same
    chat.say("送る")
    assert len(chat.tips) == (not is_same)


def test_what_went_otherwise_is_kept_as_how_it_went(chat: Chat) -> None:
    chat.people.offer(DISHES, author=OTHER)
    chat.say(f"コツ：{DISHES}と楽", "送る", "うちではうまくいかんかった", "送る")
    assert chat.only.draft.outcome == "うちではうまくいかんかった"


# among others


@pytest.mark.parametrize(
    "text",
    [
        "今日お休みしますね",
        "明日の会議は10時からでしたっけ？",
        "花ちゃん、さっきの資料ありがとう",
        "みなさん、鍵は閉めましたか",
        "お待たせ〜",
        "あ、ごめんね",
        "資料ありがとうございました！",
    ],
)
def test_what_is_for_the_others_is_no_answer(chat: Chat, text: str) -> None:
    chat.say(f"コツ：{DISHES}")
    assert not chat.waits(text)


def test_small_talk_between_choices_gets_no_word_and_choices_do(chat: Chat) -> None:
    chat.say(f"コツ：{DISHES}", "とばす", "とばす", "とばす")
    assert not chat.waits("今日は道が混んでるって言ってました")
    assert chat.waits("匿名でお願いします")
    chat.say("匿名でお願いします")
    assert chat.waits("みんなに見せてええよ")


def test_after_it_was_sent_it_can_be_taken_back_mended_and_followed_by_another(chat: Chat) -> None:
    chat.say(f"コツ：{DISHES}", "送る")
    assert not any(chat.waits(text) for text in ("消して", "ありがとうございました😊", "助かったわあ"))
    assert chat.waits("もうひとつあるんだけど")
    chat.say("もうひとつあるんだけど", "雑巾は縦にしぼる", "送る")
    assert len(chat.tips) == 2
    assert chat.waits("さっきの消して")
    assert "雑巾" in chat.say("さっきの消して").text
    assert "そのまま" in chat.say("やっぱりやめる").text
    assert "どこをなおしますか" in chat.say("あ、まちがえた").text
    assert "雑巾" in chat.say("送ったコツ、消してください").text
    chat.say("うん、消して")
    assert [t.draft.text for t in chat.tips] == [DISHES]


def test_remove_right_after_sending_is_about_the_tip_and_not_all_records(chat: Chat) -> None:
    chat.say(f"コツ：{DISHES}", "送る")
    assert DISHES in chat.say("消して").text
    assert len(chat.tips) == 1
    assert chat.hear("わたしの記録を消して") is None  # that is for who keeps them all


def test_what_was_withdrawn_stays_so_and_is_said_to(chat: Chat) -> None:
    chat.say(f"コツ：{DISHES}", "送る", "わたしのコツ見せて")
    assert "取り下げますか" in chat.say("1番消してほしい").text
    assert "取り下げました" in chat.say("はい").text
    assert "取り下げました" in chat.say("はい").text  # a second tap
    assert "元に戻せません" in chat.say("やっぱり戻して").text
    assert chat.tips == []


def test_a_pause_is_gone_on_from_in_own_words(chat: Chat) -> None:
    alone = chat.of(group=GIVER)
    alone.say(f"コツ：{DISHES}")
    assert alone.hear("厨房", after=900) is None
    assert "どこ" in alone.say("つづき").text
    alone.say("厨房", "やめる")
    assert alone.hear("つづき") is None  # of what was put away it may mean the last answer
    assert "いつ" in alone.say("さっきの続き書きたい").text


def test_what_is_for_one_group_is_named_so(chat: Chat) -> None:
    group = chat.of(group=NOBODYS_GROUP)
    assert "「このグループだけ」ですね" in group.say(f"コツ：{DISHES}", "うちのグループだけにしといて").text
    assert "このグループだけ" in group.say("これ、だれが見るの？").text
    group.say("厨房", "とばす", "とばす", "とばす")
    assert choices(group.say("とばす"))[0] == "送る"
