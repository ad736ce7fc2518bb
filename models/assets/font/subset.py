"""Makes the map font: Noto Sans CJK SC Regular, reduced to GB 2312 hanzi, Latin, Greek and the marks that maps use.

Needs Debian's package fonts-noto-cjk and fonttools (PyPI). Usage: python3 subset.py NotoSansCJK-Regular.ttc OUT.otf
"""

import sys

from fontTools import subset
from fontTools.ttLib import TTCollection


def gb2312_characters():
    """All characters of GB 2312 rows 1-9 (marks, Latin, Greek) and 16-55 (level 1 hanzi), with names of Zhejiang's units."""
    text = set()
    for row in [*range(1, 10), *range(16, 56)]:
        for cell in range(1, 95):
            try:
                text.add(bytes([0xA0 + row, 0xA0 + cell]).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    text.update(chr(c) for c in range(0x20, 0x7F))
    text.update("°±²³·×÷–—‘’“”…‰′″≤≥≈∑√∞㎡№Ⅰ Ⅱ Ⅲ Ⅳ Ⅴ①②③④⑤⑥⑦⑧⑨⑩")
    # Hanzi beyond level 1 in names of counties and prefectures of Zhejiang and Jiangsu, and of hazards.
    text.update("婺浦磐鄞诸暨嵊岱嵊泗衢瓯桐庐淳萧拱墅滨嘉善湖德瑞苍洞缙遂昌畲温岭椒黄岩玉仙莲镇慈奉柯越嘉埭崮滩涝涧潟雹飓飑淤垸堰堤坝栅")
    text.update("邗邳沛睢睢宁邵滆溧涟盱眙灌沭泗淮阴姑苏吴昆亭湖阜射阳响")
    return "".join(sorted(text))


def main(source, target):
    fonts = TTCollection(source).fonts
    font = next(f for f in fonts if f["name"].getDebugName(1) == "Noto Sans CJK SC")
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.desubroutinize = True
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "GSUB", "GPOS", "GDEF"]
    options.recalc_timestamp = False
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=gb2312_characters())
    subsetter.subset(font)
    font["head"].modified = font["head"].created
    font.recalcTimestamp = False
    font.save(target)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
