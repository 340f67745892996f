"""What a question takes for granted, against what is told."""

from __future__ import annotations

import pytest

from knowledge.premise import judge


@pytest.mark.parametrize(
    ("question", "told", "verdict"),
    [
        ("発起人は5人必要ですよね?", "発起人は3人以上必要です。", False),
        ("発起人は三人以上要るんだよね", "発起人は3人以上必要です。", True),
        ("役員が変わったら1か月以内に届ければ間に合うんでしょう?", "2週間以内に届け出ます。", False),
        ("14日以内に届け出ればいいんですよね?", "2週間以内に届け出ます。", True),
        ("準備金は5分の1ですよね?", "準備金は10分の1以上です。", False),
        ("NPOからは2027年まで受け付けてるんでしょ?", "2025年9月30日で終わりました。", False),
        ("のべ5万人くらいだったんですよね?", "延べ10万人が来場しました。", False),
        ("特定労協でも監査会でやれますよね?", "組合員監査会を置くことはできません。", False),
        ("総会にかけなくていいんですよね?", "総会の議決が要ります。", False),
        # What cannot be compared is left open.
        ("発起人は何人ですか?", "発起人は3人以上必要です。", None),
        ("10人で作れますよね?", "3人からつくれます。", None),
        ("監事は1人ですよね?", "理事は3人以上、監事は1人以上です。", None),
        ("監事は組合員以外でもなれますよね?", "監事を組合員に限る決まりはありません。", None),
        ("総会で決めるんですよね?", "総会で決めます。", None),
        ("うちは5人です。理事会は要りますよね?", "理事会は必ず置きます。", None),
    ],
)
def test_judge(question: str, told: str, verdict: bool | None) -> None:
    assert judge(question, told) is verdict
