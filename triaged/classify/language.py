"""Which language a letter is in, and its parts: script first, then py3langid and function words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

UNKNOWN: Final = "und"
LEAST: Final = 0.3  # below this probability the answer is "und"
_READ: Final = 600  # characters
_STATISTICS_READ: Final = 300
_MANY_FUNCTION_WORDS: Final = 6.0
_LEAST_LETTERS: Final = 3
_SURE_OTHER: Final = 0.9  # short Cyrillic text is Russian unless another language is this likely
_LATIN_CANDIDATES: Final = (
    *("en", "es", "fr", "ht", "pl"),  # ours; the others, so as not to be taken for ours:
    *(
        "pt",
        "it",
        "de",
        "nl",
        "ro",
        "cs",
        "sv",
        "tr",
        "vi",
        "tl",
        "id",
        "sw",
        "so",
        "sq",
        "hr",
        "hu",
        "fi",
        "ca",
        "la",
    ),
)
_CYRILLIC_CANDIDATES: Final = ("ru", "uk", "bg", "be", "sr", "kk", "ky", "mn")
_ARABIC_CANDIDATES: Final = ("ar", "ur", "fa", "ps")
_OURS: Final = frozenset({"en", "es", "fr", "ht", "pl", "ru", "ar", "ur", "bn", "ko", "zh-Hans", "zh-Hant"})
_SCRIPTS: Final = (
    ("Han", "\u3400-\u9fff\uf900-\ufaff"),
    ("Kana", "\u3040-\u30ff"),
    ("Hangul", "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"),
    ("Bengali", "\u0980-\u09ff"),
    ("Arabic", "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff"),
    ("Cyrillic", "\u0400-\u052f"),
    ("Latin", "A-Za-z\u00c0-\u024f\u1e00-\u1eff"),
)
_RUNS: Final = re.compile("|".join(f"(?P<{name}>[{ranges}]+)" for name, ranges in _SCRIPTS))
_WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_OTHER: Final = re.compile("[\u0370-\u03ff\u0530-\u05ff\u0700-\u074f\u0780-\u097f\u0a00-\u10ff\u1200-\u137f\u1780-\u17ff]")
_ADDRESS: Final = re.compile(r"https?://\S+|www\.\S+|(?<!\S)\S+@\S+")
_SIGNS_OF_ADDRESSES: Final = ("@", "://", "www.")
_DIGITS: Final = re.compile(r"\d+")
_ENOUGH_LETTERS: Final = re.compile(rf"(?:[A-Za-z][^A-Za-z]*){{{_LEAST_LETTERS}}}")
_WEIGHT: Final = {"Han": 3.0, "Kana": 3.0, "Hangul": 2.0}  # one such character says as much as several letters

# Characters that only one of the two ways of writing Chinese uses, among the most frequent of each.
_SIMPLIFIED: Final = frozenset(
    "们这个来说时会对发经过还进动国长为学样现实问间业开关点种话车东两将从边见电气无暖热产应义务报听写读买卖钱银门难"
    "题让请谢认识条件处办设备费给维护员队伤亲爱邻居乐师罚单驾驶执照儿妈爷奶贫穷纸张药医岁饿虽总体积极压历厅厨厕层属"
    "岛币帮广庆库废异弃当录忧怀态恶惊惧愿战户扩扫扰护损换据摆断旧显术机杀权构极标树桥检欢残毁汇汉污沟没泪洁浅测济浓"
    "涂润渐温湿灯灵灾炉烂烟烦烧爱犹独狱猫献环玛琐电画疗疯盖监盘睁矿码确碍礼离种积称稳穷窃竞笔笼签简类粮紧纠红约级纪"
    "纯纱纲纳纷线练组细织终绍经结绕绘络绝统继绩续维综绿缓编缘缝缩缴网罗罢职联聪肃肠肤肾肿胀胁胜脏脑脚脱脸腾艰艺节芦"
    "苏苹茎荐荡荣药营萧蓝虏虑虫蚀蛮补装裤规览觉触订计讨训议记讲许论讼讽访证评诈诉词试诗话诚该详语误说请诸课谁调谈谋"
    "谓谣谨负财责败账货质贪购贯贴贵贷贸贺贼赁赃资赌赏赔赖赚赛赞赢赶跃践踪车轨转轮软轻载较辅辆辈输辞边达迁过运还这进"
    "远违连迟适选递逻遗邮邻郑释钟钢钱铁铃铅铺链销锁锅错键锻镇镜长门闪闭问闲间闹闻阅队阳阴阵阶际陆陈险随隐难雾静韩页"
    "项顺须顾顿预领颇频颗题颜额风飞饥饭饮饰饱饿馆驱驶驾骂骄验骑骗鱼鲜鸟鸡鸣鸭麦黄齐齿龙龟"
)
_TRADITIONAL: Final = frozenset(
    "們這個來說時會對發經過還進動國長為學樣現實問間業開關點種話車東兩將從邊見電氣無熱產應義務報聽寫讀買賣錢銀門難題"
    "讓請謝認識條處辦設備費給維護員隊傷親愛鄰樂師罰單駕駛執兒媽爺貧窮紙張藥醫歲餓雖總體積極壓歷廳廚廁層屬島幣幫廣慶"
    "庫廢異棄當錄憂懷態惡驚懼願戰戶擴掃擾損換據擺斷舊顯術機殺權構標樹橋檢歡殘毀匯漢汙溝沒淚潔淺測濟濃塗潤漸溫濕燈靈"
    "災爐爛煙煩燒猶獨獄貓獻環畫療瘋蓋監盤礦碼確礙禮離稱穩竊競筆籠簽簡類糧緊糾紅約級紀純紗綱納紛線練組細織終紹結繞繪"
    "絡絕統繼績續綜綠緩編緣縫縮繳網羅罷職聯聰肅腸膚腎腫脹脅勝臟腦腳脫臉騰艱藝節蘆蘇蘋莖薦蕩榮營蕭藍虜慮蟲蝕蠻補裝褲"
    "規覽覺觸訂計討訓議記講許論訟諷訪證評詐訴詞試詩誠該詳語誤諸課誰調談謀謂謠謹負財責敗賬貨質貪購貫貼貴貸貿賀賊賃贓"
    "資賭賞賠賴賺賽贊贏趕躍踐蹤軌轉輪軟輕載較輔輛輩輸辭達遷運遠違連遲適選遞邏遺郵鄭釋鐘鋼鐵鈴鉛鋪鏈銷鎖鍋錯鍵鍛鎮鏡"
    "閃閉閒鬧聞閱陽陰陣階際陸陳險隨隱霧靜韓頁項順須顧頓預領頗頻顆顏額風飛飢飯飲飾飽館驅罵驕驗騎騙魚鮮鳥雞鳴鴨麥黃齊"
    "齒龍龜"
)
_ONLY_SIMPLIFIED: Final = _SIMPLIFIED - _TRADITIONAL
_ONLY_TRADITIONAL: Final = (_TRADITIONAL - _SIMPLIFIED) | set("嚟啲嘅咗冇睇")  # the last as Hong Kong writes

# Frequent short words; py3langid alone mistakes short Haitian Creole for French and short Spanish for its neighbours.
_FUNCTION_WORDS: Final = {
    "en": (
        "the and is are was were have has my your this that with for not you our they we to of it there from "
        "please can will on in at be i an who what no been would out street do does"
    ),
    "es": (
        "el la los las un una es está están que de en y no por para con mi mis su del al hay se lo pero como más "
        "tengo muy este esta esto nuestro hace cuando ya son fue yo usted porque calle"
    ),
    "fr": (
        "le la les un une des est sont que qui de du en et ne pas pour avec mon ma mes nous vous je il elle au aux "
        "ce cette dans sur plus ont été mais être j'ai c'est depuis votre notre y a rue"
    ),
    "ht": (
        "mwen m ou li nou yo pa gen ki nan ak pou sa se te ap pral kay la lan men tout yon anpil kijan kote bezwen "
        "ede tanpri mèsi mesi lajan pitit timoun fè di ka konnen moun epi lè le poukisa vle jwenn toujou paske "
        "isit ban n dlo lekòl lopital travay"
    ),
    "pl": (
        "i w na się nie jest są do to że z za od po jak mój moja nasz proszę mam przez ale czy dla jestem było był "
        "może tylko przy ulicy już bardzo nas mnie"
    ),
    "pt": (
        "o os um uma é não que de em e por para com meu minha do da no na são está você muito foi mais rua dos das "
        "ao"
    ),
    "it": "il lo gli un una è non che di in e per con mio mia del della sono nel alla questo più ho strada dei delle",
    "de": (
        "der die das ein eine ist sind nicht und in zu mit für auf mein ich wir es den dem von im straße sie hat "
        "haben bitte"
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a text in one language."""

    text: str
    language: str
    probability: float


def identify(text: str) -> tuple[str, float]:
    """Return a code of languages.yaml and its probability, 0 to 1; ("und", …) for an unknown language or too little text."""
    read = text[:_READ]
    if any(sign in read for sign in _SIGNS_OF_ADDRESSES):
        read = _ADDRESS.sub(" ", read)
    read = _DIGITS.sub(" ", read)
    if read.isascii():
        return _ours(*_latin(read)) if _ENOUGH_LETTERS.search(read) else (UNKNOWN, 0.0)
    weight: dict[str, float] = {}
    for run in _RUNS.finditer(read):
        script = run.lastgroup or ""
        weight[script] = weight.get(script, 0.0) + _WEIGHT.get(script, 1.0) * (run.end() - run.start())
    other = len(_OTHER.findall(read))
    total = sum(weight.values()) + other
    if total < _LEAST_LETTERS:
        return UNKNOWN, 0.0
    script, most = max(weight.items(), key=lambda item: item[1], default=("", 0.0))
    if most < other:
        return UNKNOWN, other / total
    return _ours(*_of_script(script, read))


def _ours(code: str, probability: float) -> tuple[str, float]:
    return (code if code in _OURS and probability >= LEAST else UNKNOWN), probability


def parts(text: str) -> tuple[Part, ...]:
    """Return the paragraphs with their languages; neighbours of one language are joined, a short one joins the one before."""
    found: list[Part] = []
    for piece in re.split(r"\n\s*\n|\n(?=\S)", text):
        if not piece.strip():
            continue
        code, probability = identify(piece)
        if found and (code == UNKNOWN or code == found[-1].language):
            last = found.pop()
            found.append(Part(f"{last.text}\n{piece}", last.language, max(last.probability, probability)))
        else:
            found.append(Part(piece, code, probability))
    return tuple(found)


def _of_script(script: str, text: str) -> tuple[str, float]:
    match script:
        case "Hangul":
            return "ko", 1.0
        case "Bengali":
            return ("bn", 1.0) if not re.search("[\u09f0\u09f1]", text) else (UNKNOWN, 1.0)  # ra and wa of Assamese
        case "Kana":
            return UNKNOWN, 1.0
        case "Han":
            if len(re.findall("[\u3040-\u30ff]", text)) >= 2:
                return UNKNOWN, 1.0
            simplified = sum(character in _ONLY_SIMPLIFIED for character in text)
            traditional = sum(character in _ONLY_TRADITIONAL for character in text)
            share = (max(simplified, traditional) + 1) / (simplified + traditional + 2)
            return ("zh-Hant" if traditional > simplified else "zh-Hans"), share
        case "Arabic":
            return _arabic(text)
        case "Cyrillic":
            return _cyrillic(text)
        case _:
            return _latin(text)


def _cyrillic(text: str) -> tuple[str, float]:
    if not re.search("[іїєґўәғқңөүұһјљњћђџ]", text):
        code, probability = ("ru", 0.99) if re.search("[ыэ]", text) else _statistical(text, _CYRILLIC_CANDIDATES)
        return (code, probability) if probability > _SURE_OTHER else ("ru", _SURE_OTHER)
    return _statistical(text, _CYRILLIC_CANDIDATES)


def _arabic(text: str) -> tuple[str, float]:
    urdu = len(re.findall("[ٹڈڑںےہھ]", text))
    arabic = len(re.findall("[ةيكىأإؤئ]", text))
    if re.search("[ټډړښڼۍې]", text):
        return UNKNOWN, 0.9
    if urdu > arabic:
        return "ur", (urdu + 1) / (urdu + arabic + 1)
    if arabic > urdu and not re.search("[گچپژ]", text):
        return "ar", (arabic + 1) / (urdu + arabic + 1)
    return _statistical(text, _ARABIC_CANDIDATES)


def _latin(text: str) -> tuple[str, float]:
    names = _identifiers()[_LATIN_CANDIDATES].nb_classes
    for read in (
        text[:_STATISTICS_READ],
        text,
    ):  # the statistics cost half a millisecond
        words, spoken = _spoken(read, len(names))
        second, first = sorted(spoken)[-2:]
        if first >= _MANY_FUNCTION_WORDS and first >= 3 * second and first >= 0.18 * words:
            return names[spoken.index(first)], 0.99
    return _by_statistics(text[:_STATISTICS_READ], names)


def _spoken(text: str, languages: int) -> tuple[int, list[float]]:
    """Return how many words there are, and how many of them are function words of each language."""
    words = _WORD.findall(text.casefold().replace("’", "'"))
    known = _function_words()
    spoken = [0.0] * languages
    for word in words:
        if word in known:
            for place, share in known[word]:
                spoken[place] += share
    return len(words), spoken


def _by_statistics(text: str, names: Sequence[str]) -> tuple[str, float]:
    import numpy as np

    words, spoken = _spoken(text, len(names))
    _, scores = _scores(text, _LATIN_CANDIDATES)
    logits = np.log(np.maximum(scores, 1e-9)) * min(1.0, 0.25 + words / 20)  # few words: trust the statistics less
    logits += 6.0 * np.array(spoken) / max(4, words)
    logits[[names.index(name) for name in _FUNCTION_WORDS]] += 0.5
    best = np.exp(logits - logits.max())
    best /= best.sum()
    at = int(best.argmax())
    return names[at], float(best[at])


def _statistical(text: str, candidates: tuple[str, ...]) -> tuple[str, float]:
    names, scores = _scores(text, candidates)
    at = int(scores.argmax())
    return names[at], float(scores[at])


@cache
def function_words() -> frozenset[str]:
    """Return the words that any letter of the languages in Latin script holds."""
    return frozenset(_function_words())


@cache
def _function_words() -> dict[str, list[tuple[int, float]]]:
    """Return each word's languages, as places among the Latin candidates; a word of several counts for each by its share."""
    names = _identifiers()[_LATIN_CANDIDATES].nb_classes
    places: dict[str, list[int]] = {}
    for name, words in _FUNCTION_WORDS.items():
        for word in words.split():
            places.setdefault(word, []).append(names.index(name))
    return {word: [(place, 1.0 / len(listed)) for place in listed] for word, listed in places.items()}


@cache
def _identifiers() -> dict[tuple[str, ...], Any]:
    """Return an identifier for each list of candidates; together they hold a fourth of the columns that the package ships."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    whole = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    found: dict[tuple[str, ...], Any] = {}
    for candidates in (_LATIN_CANDIDATES, _CYRILLIC_CANDIDATES, _ARABIC_CANDIDATES):
        whole.set_languages([code for code in candidates if code in whole.labels])
        columns = (whole.nb_ptc, whole.nb_pc, whole.nb_classes)
        found[candidates] = LanguageIdentifier(
            *columns, whole.tk_nextmove, whole.tk_output, norm_probs=True, tk_row=whole.tk_row
        )
        found[candidates]._rowbase = whole._rowbase  # the same for all: 4 MB
        whole.set_languages()
    return found


def _scores(text: str, candidates: tuple[str, ...]) -> tuple[list[str], Any]:
    identifier = _identifiers()[candidates]
    return identifier.nb_classes, identifier._decide(text[:500])
