"""What the desk refuses, in the languages of the desk."""

from __future__ import annotations

from collections.abc import Mapping

from bot.errors import UserMistake

# key: (Japanese, English)
_SENTENCES: Mapping[str, tuple[str, str]] = {
    "wrong": (
        "お名前かパスワードがちがいます。どちらも確かめて、もう一度入れてください。",
        "The name or the password is wrong. Check both and try again.",
    ),
    "throttled": (
        "続けてまちがえたので、いまは入れません。15分ほど待ってから、もう一度お試しください。",
        "Too many wrong tries. Wait about 15 minutes, then try again.",
    ),
    "name_short": ("お名前は2文字から40文字までで入れてください。", "Enter a name of 2 to 40 characters."),
    "name_letters": (
        "お名前には、文字・数字・空白・「・」「-」「'」「.」だけが使えます。",
        "A name may have letters, digits, spaces and · - ' . only.",
    ),
    "name_taken": (
        "このお名前は、ほかの方が使っています。組合の名前などを足してください。",
        "Somebody else has this name. Add something, such as your co-op.",
    ),
    "password_short": (
        "パスワードが短すぎます。12文字以上にするか、関係のない言葉を3つ、空白をあけて並べてください。",
        "The password is too short. Use 12 characters or more, or three unrelated words with spaces between them.",
    ),
    "password_long": (
        "パスワードが長すぎます。200文字までにしてください。",
        "The password is too long. Use 200 characters at most.",
    ),
    "password_name": (
        "パスワードがお名前でできています。お名前とは関係のない言葉にしてください。",
        "The password is made of your name. Use something else.",
    ),
    "password_common": (
        "このパスワードは、だれもが思いつく形です(続いた数字、同じ文字のくり返し、passwordなど)。別のものにしてください。",
        "This password is one that many people think of (runs of digits, repeated letters, “password”). Choose another.",
    ),
    "password_same": ("いまと同じパスワードです。新しいものにしてください。", "This is the present password. Choose a new one."),
    "password_wrong": (
        "いまのパスワードがちがいます。確かめて、もう一度入れてください。",
        "The present password is wrong. Check it and try again.",
    ),
    "link_gone": (
        "このリンクは、もう使えません。送ってくれた方に、新しいリンクをたのんでください。",
        "This link can no longer be used. Ask whoever sent it for a new one.",
    ),
    "not_allowed": (
        "あなたの役割では、これはできません。管理の方にたのんでください。",
        "Your role does not allow this. Ask an administrator.",
    ),
    "not_there": ("見つかりません。もう消えたのかもしれません。", "It was not found. It may have been removed."),
    "last_admin": (
        "管理の方がひとりもいなくなるので、できません。先に、ほかの方に管理の役割を渡してください。",
        "Nobody would be left to administer. Give somebody else that role first.",
    ),
    "no_co_op": ("この役割には組合が要ります。組合を選んでください。", "This role needs a co-op. Choose one."),
    "co_op_id": (
        "IDは、英小文字・数字・「-」だけで、60文字までにしてください。例: ueda",
        "Use lower-case letters, digits and hyphens for the ID, 60 at most. Example: ueda",
    ),
    "co_op_taken": (
        "このIDの組合は、もうあります。別のIDにするか、その組合を直してください。",
        "There is a co-op with this ID already. Use another ID, or change that co-op.",
    ),
    "co_op_name": ("組合の名前を入れてください(200文字まで)。", "Enter the name of the co-op (200 characters at most)."),
    "co_op_size": ("人数は、0から999999までの数字で入れてください。", "Enter the number of people as digits, 0 to 999999."),
    "co_op_long": (
        "長すぎるところがあります。場所・分野・協力先は200文字まで、法人格は80文字までにしてください。",
        "Something is too long: 200 characters at most for the place, a field or a partner, 80 for the legal form.",
    ),
    "co_op_lines": ("分野と協力先は、それぞれ50までにしてください。", "50 fields and 50 partners at most."),
    "changed_meanwhile": (
        "ちょうど今、ほかの方が変えました。画面をもう一度開いて、確かめてください。",
        "Somebody else has changed it just now. Open the page again and check.",
    ),
    "not_their_entry": (
        "その方は、この知識を見る係ではありません。別の方を選んでください。",
        "That person does not look after this entry. Choose somebody else.",
    ),
    "word_length": (
        "言葉は2文字から40文字までで、両方に書いてください。",
        "Fill in both words, 2 to 40 characters each.",
    ),
    "word_short_kana": (
        "ひらがなだけの言葉は、3文字以上にしてください。短いと、ほかの言葉の一部とまちがえます。",
        "A word in hiragana alone needs 3 letters or more: shorter ones stand inside other words.",
    ),
    "word_taken": (
        "この言い方は、もう登録されています。変えるときは、先に消してください。",
        "This word is in the list already. To change it, remove it first.",
    ),
    "word_shipped": (
        "この言い方は、はじめから入っている表にあります。下の表を見てください。",
        "This word stands in the table that comes with Yui. See the list below.",
    ),
    "word_circle": (
        "言いかえがぐるぐる回ってしまいます。同じ言葉どうしや、反対向きの言いかえがないか確かめてください。",
        "The words would lead back to each other. Look for the same pair the other way round.",
    ),
    "word_most": ("言いかえは1000までです。使わないものを消してください。", "1000 at most. Remove some that are not used."),
    "import_audience": (
        "この範囲には入れられません。見られる人と種類を選びなおしてください。",
        "You cannot bring it in for these people. Choose the audience and the kind again.",
    ),
    "import_busy": (
        "いま、別のファイルを入れているところです。終わってから、もう一度押してください。",
        "Another file is being brought in. Try again when that has ended.",
    ),
    "import_file_gone": (
        "ファイルはもう消えています(1日たつと消えます)。もう一度選んでください。",
        "The file is gone (it is kept for a day). Choose it again.",
    ),
    "import_columns": (
        "どの列が答えか選んでください(「短い答え」か「くわしい説明」)。",
        "Choose which column holds the answer (short answer or detail).",
    ),
    "import_large": ("ファイルが大きすぎます。20MBまでにしてください。", "The file is too large: 20 MB at most."),
    "import_empty": (
        "ファイルが空です。中身のあるファイルを選んでください。",
        "The file is empty. Choose one that holds something.",
    ),
    "no_role": ("役割を選んでください。", "Choose a role."),
    "link_role": (
        "組合員と協力団体の方は、この画面に入りません。LINEやDiscordで使うコードを作ってください。",
        "Members and partners do not come to this desk. Make a code for LINE or Discord.",
    ),
}


class Refused(UserMistake):
    """Something that cannot be done at the desk. As text it is Japanese; `said` gives the desk's other languages."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(self.said("ja"))

    def said(self, language: str) -> str:
        japanese, english = _SENTENCES[self.key]
        return japanese if language.startswith("ja") else english
