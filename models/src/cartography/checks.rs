//! Checks of whole sheets: a picture against a stored one, and the structure of the layout.

use super::*;
use anlan_engine::{Bounds, Crs, Grid, Raster};
use geo::{MultiPolygon, polygon};
use std::path::Path;

/// A made-up county of 30 x 24 km in four townships, graded in four classes, with a hill for the shading.
struct County {
    classes: Raster<u8>,
    shade: Raster<f32>,
    units: Vec<MultiPolygon<f64>>,
    region: MultiPolygon<f64>,
    styles: MapStyles,
}

const WEST: f64 = 470_000.0;
const NORTH: f64 = 3_230_000.0;

fn rectangle(x0: f64, y0: f64, x1: f64, y1: f64) -> MultiPolygon<f64> {
    MultiPolygon(vec![polygon![
        (x: WEST + x0, y: NORTH - y0), (x: WEST + x1, y: NORTH - y0),
        (x: WEST + x1, y: NORTH - y1), (x: WEST + x0, y: NORTH - y1),
    ]])
}

impl County {
    fn new() -> County {
        let grid = Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (WEST, NORTH),
            (500.0, 500.0),
            (48, 60),
        )
        .unwrap();
        let mut classes = Raster::filled(grid, 0_u8);
        let mut shade = Raster::filled(grid, 200.0_f32);
        for row in 0..48 {
            for col in 0..60 {
                let (dx, dy) = (col as f64 - 34.0, row as f64 - 20.0);
                let far = (dx * dx + dy * dy).sqrt();
                classes.data[(row, col)] = match far {
                    d if d < 5.0 => 1,
                    d if d < 11.0 => 2,
                    d if d < 17.0 => 3,
                    d if d < 24.0 => 4,
                    _ => 0,
                };
                shade.data[(row, col)] = (140.0 + 4.0 * (dx - dy).clamp(-28.0, 28.0)) as f32;
            }
        }
        County {
            classes,
            shade,
            units: vec![
                rectangle(0.0, 0.0, 15_000.0, 12_000.0),
                rectangle(15_000.0, 0.0, 30_000.0, 12_000.0),
                rectangle(0.0, 12_000.0, 15_000.0, 24_000.0),
                rectangle(15_000.0, 12_000.0, 30_000.0, 24_000.0),
            ],
            region: rectangle(0.0, 0.0, 30_000.0, 24_000.0),
            styles: MapStyles::builtin(),
        }
    }

    fn sheet(&self) -> Sheet<'_> {
        let names = ["高", "较高", "中", "低"];
        let colours = [
            [200, 20, 20],
            [240, 130, 40],
            [250, 210, 90],
            [90, 150, 220],
        ];
        let township = self.styles.border(styles::Level::Township).unwrap();
        let county = self.styles.border(styles::Level::County).unwrap();
        Sheet {
            title: "示例县洪涝灾害人口风险等级图".into(),
            subtitle: "普查数据：2020年".into(),
            classes: &self.classes,
            hillshade: Some(&self.shade),
            legend_title: "等级".into(),
            legend: (0..4)
                .map(|k| LegendEntry {
                    code: k as u8 + 1,
                    colour: Colour(colours[k]),
                    name: names[k].into(),
                })
                .collect(),
            borders: vec![
                township.of(self.units.iter().collect(), true),
                county.of(vec![&self.region], true),
            ],
            labels: [
                (7.0, 6.0, "东溪镇"),
                (22.0, 6.0, "南山街道"),
                (7.0, 18.0, "西塘乡"),
                (22.0, 18.0, "北河经济开发区"),
                (22.3, 18.1, "清水湾"),
            ]
            .map(|(x, y, name)| Label {
                x: WEST + x * 1000.0,
                y: NORTH - y * 1000.0,
                text: name.into(),
                size: 24.0,
            })
            .to_vec(),
            points: vec![PointSymbol {
                points: vec![(WEST + 17_000.0, NORTH - 10_000.0)],
                colour: Colour([20, 20, 20]),
                radius: 8.0,
                name: "救灾物资储备库".into(),
            }],
            notes: vec!["规则包：risk（未核实，0123456789abcdef）".into()],
            producer: "示例县应急管理局".into(),
            date: "2026年1月".into(),
            marks: vec![Mark::Synthetic, Mark::Screening],
            language: SheetLanguage::Zh,
        }
    }

    fn setting(&self, page: Page) -> Setting<'_> {
        Setting {
            page,
            inset: Some(Inset {
                title: "位置图".into(),
                units: self.units.iter().collect(),
                highlight: vec![&self.units[1]],
                window: None,
                rectangle: false,
            }),
            tables: vec![SheetTable {
                title: "分级统计".into(),
                header: ["等级", "面积（km²）", "常住人口（人）"]
                    .map(String::from)
                    .to_vec(),
                rows: names_of_rows(),
            }],
            height_datum: "1985国家高程基准".into(),
            approval: "示S（2026）001号".into(),
            ..Setting::default()
        }
    }
}

fn names_of_rows() -> Vec<Vec<String>> {
    [["高", "19.6", "5000"], ["较高", "75.4", "12000"]]
        .map(|r| r.map(String::from).to_vec())
        .to_vec()
}

fn pages() -> Vec<Page> {
    let mut out = Vec::new();
    for paper in [Paper::A3, Paper::A4] {
        for orientation in [Orientation::Landscape, Orientation::Portrait] {
            out.push(Page {
                paper,
                orientation,
                dpi: 60,
            });
        }
    }
    out
}

#[test]
fn no_letters_touch_and_everything_is_on_the_sheet() {
    let county = County::new();
    let fonts = Fonts::embedded();
    for page in pages() {
        let drawing = draw(&county.sheet(), &county.setting(page), &fonts).unwrap();
        let (width, height) = page.size_mm();
        let texts = drawing.texts();
        for (i, a) in texts.iter().enumerate() {
            assert!(
                a.area[0] >= 1.0
                    && a.area[1] >= 1.0
                    && a.area[2] <= width - 1.0
                    && a.area[3] <= height - 1.0,
                "{page:?}: {a:?} leaves the sheet"
            );
            for b in &texts[i + 1..] {
                // Boxes hold room above and below the letters: they may share that, half a millimetre.
                let apart = a.area[0] >= b.area[2] - 0.1
                    || b.area[0] >= a.area[2] - 0.1
                    || a.area[1] >= b.area[3] - 0.5
                    || b.area[1] >= a.area[3] - 0.5;
                assert!(apart, "{page:?}: {a:?} over {b:?}");
            }
        }
        for role in [
            "title",
            "subtitle",
            "legend-heading",
            "legend",
            "north",
            "scale",
            "ratio",
            "graticule",
            "label",
            "note",
            "table",
            "inset",
            "mark",
            "footer",
        ] {
            assert!(texts.iter().any(|t| t.role == role), "{page:?}: no {role}");
        }
        let all: String = texts.iter().map(|t| t.text.as_str()).collect();
        for words in [
            "2000国家大地坐标系",
            "1985国家高程基准",
            "审图号：示S（2026）001号",
            "制图单位：",
            "制图日期：",
            "0123456789abcdef",
            "乡级界",
            "县级界",
            "含合成数据",
        ] {
            assert!(all.contains(words), "{page:?}: no {words}");
        }
        assert!(drawing.dropped().is_empty(), "{:?}", drawing.dropped());
    }
}

#[test]
fn the_legend_runs_from_high_to_low_and_from_high_borders_to_low() {
    let county = County::new();
    let fonts = Fonts::embedded();
    let drawing = draw(&county.sheet(), &county.setting(Page::default()), &fonts).unwrap();
    let at = |name: &str| {
        drawing
            .texts()
            .iter()
            .find(|t| t.role == "legend" && t.text == name)
            .unwrap()
            .area[1]
    };
    let order = [
        "高",
        "较高",
        "中",
        "低",
        "救灾物资储备库",
        "县级界",
        "乡级界",
    ];
    assert!(order.windows(2).all(|p| at(p[0]) < at(p[1])));
}

#[test]
fn the_ratio_is_that_of_the_paper() {
    let county = County::new();
    let fonts = Fonts::embedded();
    let drawing = draw(&county.sheet(), &county.setting(Page::default()), &fonts).unwrap();
    // Two points 10 km apart on the map are 10 km / ratio apart on the paper.
    let a = drawing.frame.mm(WEST, NORTH);
    let b = drawing.frame.mm(WEST + 10_000.0, NORTH);
    let ratio = 10_000_000.0 / f64::from(b.0 - a.0);
    assert!(
        (ratio / drawing.ratio() as f64 - 1.0).abs() < 1e-5,
        "{ratio}"
    );
    let digits = drawing.ratio().to_string();
    assert!(digits[2..].bytes().all(|c| c == b'0'), "{digits}");
}

#[test]
fn names_without_room_are_told() {
    let county = County::new();
    let mut sheet = county.sheet();
    let one = sheet.labels[0].clone();
    sheet.labels = (0..400)
        .map(|i| Label {
            text: format!("第{i}村民委员会"),
            size: 60.0,
            ..one.clone()
        })
        .collect();
    let fonts = Fonts::embedded();
    let drawing = draw(&sheet, &Setting::default(), &fonts).unwrap();
    let placed = drawing.texts().iter().filter(|t| t.role == "label").count();
    assert!(placed > 4 && drawing.dropped().len() > 100);
    assert!(placed <= 2 * (400 - drawing.dropped().len()));
}

#[test]
fn more_beside_the_map_than_the_paper_holds_is_refused() {
    let county = County::new();
    let mut sheet = county.sheet();
    sheet.notes = vec!["说明".repeat(40); 60];
    let error = draw(&sheet, &Setting::default(), &Fonts::embedded()).unwrap_err();
    assert!(error.to_string().contains("larger paper"), "{error}");
}

#[test]
fn a_unit_sheet_pales_the_ground_outside() {
    let county = County::new();
    let sheet = county.sheet();
    let mut setting = county.setting(Page::default());
    setting.window = Some(Bounds {
        west: WEST + 14_000.0,
        south: NORTH - 13_000.0,
        east: WEST + 31_000.0,
        north: NORTH + 1_000.0,
    });
    setting.focus = Some(&county.units[1]);
    let drawing = draw(&sheet, &setting, &Fonts::embedded()).unwrap();
    assert!(
        drawing
            .inside
            .contains("fill-opacity=\"0.68\" fill-rule=\"evenodd\"")
    );
    // Names of ground outside the frame are neither drawn nor told as lost.
    assert!(!drawing.texts().iter().any(|t| t.text == "西塘乡"));
    assert!(drawing.dropped().is_empty());
}

#[test]
fn one_layout_gives_png_svg_and_pdf_with_the_same_bytes_each_time() {
    let county = County::new();
    let fonts = Fonts::embedded();
    let page = Page {
        dpi: 100,
        ..Page::default()
    };
    let (sheet, setting) = (county.sheet(), county.setting(page));
    let drawing = draw(&sheet, &setting, &fonts).unwrap();
    for format in [Format::Png, Format::Svg, Format::Pdf] {
        let bytes = drawing.encoded(format, &fonts).unwrap();
        let again = draw(&sheet, &setting, &fonts)
            .unwrap()
            .encoded(format, &fonts)
            .unwrap();
        assert_eq!(bytes, again, "{format:?}");
    }
    let svg = drawing.svg(&fonts).unwrap();
    assert!(svg.starts_with("<svg width=\"297mm\" height=\"210mm\""));
    assert!(!svg.contains("<text") && svg.contains("data:image/png;base64,"));
    resvg::usvg::Tree::from_str(&svg, &fonts.options()).unwrap();
    // 100 dpi are 3937 pixels a metre, in the chunk that says so.
    let png = drawing.png(&fonts).unwrap();
    let at = png.windows(4).position(|w| w == b"pHYs").unwrap() + 4;
    assert_eq!(png[at..at + 4], 3937_u32.to_be_bytes());
}

/// Width and height of the stored picture's resolution: small enough to keep, large enough to see every element.
const DPI: u32 = 72;

/// The stored picture was drawn by this code; a change of layout, letters or colours shows as pixels that differ. Up to two
/// steps of a channel per pixel are let pass: coverage at the edges of letters is computed in single precision, whose last bit
/// the compiler may change. One wrong letter differs by dozens of pixels and a hundred steps.
/// `ANLAN_REWRITE_EXPECTED=1` draws it anew.
#[test]
fn the_picture_is_the_stored_one() {
    let county = County::new();
    let fonts = Fonts::embedded();
    let page = Page {
        dpi: DPI,
        ..Page::default()
    };
    let drawing = draw(&county.sheet(), &county.setting(page), &fonts).unwrap();
    let png = drawing.png(&fonts).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/golden/sheet.png");
    if std::env::var_os("ANLAN_REWRITE_EXPECTED").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let (rgb, width, height) = pixels(&png);
        let small = picture::encode(&rgb, 3, (width, height), Some(DPI), png::Compression::High);
        std::fs::write(&file, small.unwrap()).unwrap();
    }
    let stored = std::fs::read(&file).unwrap();
    assert!(stored.len() < 100_000);
    let ((ours, w, h), (theirs, ws, hs)) = (pixels(&png), pixels(&stored));
    assert_eq!((w, h), (ws, hs));
    let far: Vec<usize> = (0..ours.len())
        .filter(|&i| ours[i].abs_diff(theirs[i]) > 2)
        .collect();
    if let Some(&first) = far.first() {
        let pixel = first / 3;
        panic!(
            "{} channels differ, the first at column {}, row {}; look at the new picture, then ANLAN_REWRITE_EXPECTED=1",
            far.len(),
            pixel % w as usize,
            pixel / w as usize
        );
    }
}

fn pixels(png: &[u8]) -> (Vec<u8>, u32, u32) {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut out = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut out).unwrap();
    out.truncate(info.buffer_size());
    (out, info.width, info.height)
}
