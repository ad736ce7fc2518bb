#!/usr/bin/env python3
"""Make the map font: Noto Sans CJK SC Regular cut down to what Chinese maps need.

    apt-get download fonts-noto-cjk=1:20220127+repack1-1
    pip install fonttools==4.68.0 cffsubr==0.4.0
    python3 models/assets/font/subset.py fonts-noto-cjk_1%3a20220127+repack1-1_all.deb

Keeps ASCII, Latin-1, the punctuation and signs of SIGNS, the 6763 hanzi of GB 2312, every character of the tables
in data/typed/ and of the map words in WORDS, and hanzi of place names of China that GB 2312 lacks: RARE, and those of
place_names.txt. Writes AnlanMapSans-Regular.otf (one face, CFF with shared subroutines, no hinting) and OFL.txt (the
licence of the package) beside this script. The same input gives the same bytes.
"""

import hashlib
import io
import re
import subprocess
import sys
from pathlib import Path

import cffsubr
from fontTools import subset
from fontTools.ttLib import TTCollection

HERE = Path(__file__).resolve().parent
DEB_SHA256 = "4a2515eb6db3978b897fef9709ed0d2b1f4c6c4df4d83d6c4ef65f71f1b1f502"
FONT = "usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
LICENCE = "usr/share/doc/fonts-noto-cjk/copyright"
FAMILY = "Anlan Map Sans"  # own name: the subset is a modified version, and must not be taken for the full font
EPOCH_1904_OF_2022_01_27 = 3726086400  # fixed head.modified: 2022-01-27, the version of the package

SIGNS = (
    "·—–‘’“”…‰′″℃№→↑←↓↗↘↙↖√∞≈≠≤≥±×÷°²³µ■□▲△▼●○◆★☆"
    "　、。〈〉《》「」『』【】〔〕！（），－．／：；＜＝＞？～￥①②③④⑤"
    "⑥⑦⑧⑨⑩ⅠⅡⅢⅣⅤⅥαβγθλρφωΔΣΩ㎡"
)
RARE = "埇埗沚浉瀍猇硚鄠剅垕尓崀嵖徳曌棪泿洈浬淯漈牁牂碁篢簲綏葠蹍鮀鲊鲘鳡垟碶峧墺堽砩岽"
WORDS = """
洪涝 强对流 地质灾害 森林火灾 危险性 风险 等级 高 较高 中 较低 低 图例 比例尺 千米 米 公里
坐标系 高程 基准 制图单位 日期 数据 时段 合成数据 筛查方法 示意 重现期 年一遇 水深 流速 阵风 冰雹
龙卷 短时强降水 雷暴 闪电 滑坡 崩塌 泥石流 隐患点 过火 概率 暴露 人口 房屋 国内生产总值 综合 区划
县 市 省 区 镇 乡 村 街道 损失 受影响 转移安置 万元 亿元 储备 物资 仓库 避难场所 审图号 承灾体
脆弱性 减灾能力 年均损失 超越概率 台风 暴雨 山洪 内涝 溃堤 堤防 水库 河流 湖泊 铁路 公路 桥梁
学校 医院 帐篷 棉被 折叠床 饮用水 食品 应急 救援 调度 路线 耕地 林地 草地 建设用地 坡度 坡向
土壤 岩性 植被 可燃物 蔓延 强度 热点 普查 评估 评价 编制 审核 来源 说明 注 投影 国家大地坐标系
黄海 榆林 渭河 泾阳 鄂尔多斯 呼伦贝尔 衢州 瓯江 椒江 甬江 苕溪 曹娥江 浦阳江 婺江 兰江 钱塘江
鳌江 飞云江 灵江 阈值 缺失 未知 筛选 插值 栅格 像元 矢量 图层 统计 排名 总计 平均 最大 最小
单位 面积 平方千米 公顷 毫米 小时 分钟 立方米 每秒 摄氏度
"""


def wanted() -> set[int]:
    """Code points that the font must hold."""
    hanzi = bytes(b for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF) for b in (high, low))
    text = hanzi.decode("gb2312", errors="ignore")  # five places at the end of level 1 are empty
    text += SIGNS + RARE + "".join(WORDS.split()) + "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100)]))
    for line in (HERE / "place_names.txt").read_text(encoding="utf-8").splitlines():
        text += "" if line.startswith("#") else line
    for table in sorted((HERE.parents[2] / "data").glob("typed/*.csv")):
        text += table.read_text(encoding="utf-8")
    return {ord(c) for c in text if c >= " "}


def from_deb(deb: Path, inside: str) -> bytes:
    tar = subprocess.run(["dpkg", "--fsys-tarfile", deb], check=True, capture_output=True).stdout
    return subprocess.run(["tar", "-xO", f"./{inside}"], input=tar, check=True, capture_output=True).stdout


def licence(copyright_file: str, font_notice: str) -> str:
    """OFL.txt: the font's own notice, the holder the package names, and the licence text of the package."""
    holder = re.search(r"Files: \*\nCopyright: (.*)\nLicense: SIL-1\.1\n", copyright_file).group(1)
    text = re.search(r"^License: SIL-1\.1\n((?: .*\n)+)", copyright_file, re.M).group(1)
    lines = [line[1:] for line in text.splitlines()]
    body = "\n".join("" if line.strip() == "." else line for line in lines).strip()
    return f"{font_notice}\nCopyright {holder} (as the Debian package fonts-noto-cjk states)\n\n{body}\n"


def main():
    deb = Path(sys.argv[1])
    found = hashlib.sha256(deb.read_bytes()).hexdigest()
    if found != DEB_SHA256:
        sys.exit(f"{deb.name}: SHA-256 is {found}, expected {DEB_SHA256}")
    collection = TTCollection(io.BytesIO(from_deb(deb, FONT)))
    font = next(f for f in collection.fonts if f["name"].getDebugName(1) == "Noto Sans CJK SC")

    notice = font["name"].getDebugName(0)
    points = wanted()
    missing = sorted(points - font.getBestCmap().keys())
    if missing:
        print("not in the source font:", " ".join(f"{chr(p)} U+{p:04X}" for p in missing), file=sys.stderr)
    options = subset.Options(
        layout_features=["kern"],
        hinting=False,
        desubroutinize=True,
        name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14],
        name_languages=[0x409],
        notdef_outline=True,
        drop_tables=["BASE", "DSIG", "VORG", "vhea", "vmtx"],
        glyph_names=False,
    )
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=points)
    subsetter.subset(font)

    version = "2.004; subset for Anlan"
    names = {
        1: FAMILY,
        2: "Regular",
        3: f"{version};AnlanMapSans-Regular",
        4: FAMILY,
        5: f"Version {version}",
        6: "AnlanMapSans-Regular",
    }
    for record in [*font["name"].names]:
        if record.nameID in names:
            font["name"].setName(
                names[record.nameID], record.nameID, record.platformID, record.platEncID, record.langID
            )
    cff = font["CFF "].cff
    cff.fontNames = ["AnlanMapSans-Regular"]
    cff.topDictIndex[0].FullName, cff.topDictIndex[0].FamilyName = FAMILY, FAMILY
    cffsubr.subroutinize(font)
    font["head"].modified = EPOCH_1904_OF_2022_01_27
    font.recalcTimestamp = False
    font.flavor = None
    font.save(HERE / "AnlanMapSans-Regular.otf", reorderTables=True)
    (HERE / "OFL.txt").write_text(licence(from_deb(deb, LICENCE).decode(), notice), encoding="utf-8")

    data = (HERE / "AnlanMapSans-Regular.otf").read_bytes()
    print(f"{len(points) - len(missing)} characters, {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
