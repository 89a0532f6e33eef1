//! The page, in a real browser: on a phone and on a screen, light and dark.

use std::path::{Path, PathBuf};

use sconce::model::Answers;
use serde_json::Value;

use super::formats::{every_kind, in_format};
use crate::samples;
use crate::support::browser::Browser;

const SCREENS: [(u32, u32); 2] = [(360, 800), (1280, 800)];

/// A folder for what people may want to look at.
fn shown(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reports");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

/// Opens the page of `answers` on every screen, and asks `about` it.
fn on_every_screen(browser: &mut Browser, name: &str, html: &str, about: impl Fn(&mut Browser, u32)) {
    let file = shown(&format!("{name}.html"));
    std::fs::write(&file, html).unwrap();
    for (width, height) in SCREENS {
        for scheme in ["light", "dark"] {
            browser.open(&file, (width, height), scheme);
            browser.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)");
            fits(browser, &format!("{name}, {width} wide, {scheme}"));
            about(browser, width);
            if name == "matrix" {
                browser.picture(&shown(&format!("{name}-{width}-{scheme}.png")));
            }
        }
    }
}

/// Nothing lies beyond the right edge, nothing was complained of, no script is there, and all text stands out.
fn fits(browser: &mut Browser, what: &str) {
    let over = browser.evaluate(
        "[...document.querySelectorAll('body *')].filter(one => !one.closest('.unseen, thead') && \
         one.getBoundingClientRect().right > innerWidth + .5).map(one => one.outerHTML.slice(0, 200))",
    );
    assert_eq!(over, Value::Array(Vec::new()), "{what}: wider than the screen");
    assert_eq!(browser.evaluate("document.documentElement.scrollWidth > innerWidth"), false, "{what}");
    assert_eq!(browser.evaluate("document.querySelectorAll('script, img, iframe, object, form').length"), 0, "{what}");
    assert_eq!(browser.evaluate("document.querySelectorAll('[style], [onerror], [onclick]').length"), 0, "{what}");
    let faint = browser.evaluate(CONTRAST);
    assert_eq!(faint, Value::Array(Vec::new()), "{what}: hard to read");
    assert_eq!(browser.complaints(), Vec::<&Value>::new(), "{what}");
}

/// The texts whose contrast to what is behind them is under 4.5, which WCAG 2.2 (1.4.3) asks for.
const CONTRAST: &str = r"(() => {
  const channels = colour => colour.match(/[\d.]+/g).map(Number);
  const light = colour => channels(colour).slice(0, 3).map(c => c / 255)
    .map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const behind = one => {
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (channels(colour)[3] !== 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const texts = [...document.querySelectorAll('body *')].filter(one => !one.closest('.unseen') &&
    [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
  return texts.map(one => {
    const [a, b] = [light(getComputedStyle(one).color), light(behind(one))].sort((x, y) => y - x);
    return [(a + .05) / (b + .05), one.outerHTML.slice(0, 120)];
  }).filter(([ratio]) => ratio < 4.5);
})()";

/// All that the page says.
fn said(browser: &mut Browser) -> String {
    browser.evaluate("document.body.innerText").as_str().unwrap().to_owned()
}

#[test]
fn a_pass_a_fail_and_a_skip_are_seen_at_once() {
    let mut browser = Browser::start();
    on_every_screen(&mut browser, "matrix", &in_format("html", &samples::matrix()), |browser, width| {
        let cells = browser.evaluate(
            "[...document.querySelectorAll('.matrix tbody tr')].map(row => \
             [...row.querySelectorAll('td')].map(cell => cell.className).join(' '))",
        );
        let expected = ["pass pass pass skip none", "pass pass fail skip none", "skip none none none none"];
        assert_eq!(cells.as_array().unwrap()[..3], expected);
        let text = said(browser);
        for part in [
            "1 of 4 images verified",
            "registry.example.org:5000/team/broken:1.4",
            "2 of 28 checks failed",
            "explained by cache-not-writable",
            "RUN apt-get update && apt-get install --yes --no-install-recommends python3.13-dev",
            "OSError: [Errno 30] Read-only file system: '/var/cache/torchinductor'",
            "proven on 2025-12-31 by an earlier run",
            "the engine cannot limit memory",
            "there is no image team/gone:1 on the engine",
            "5.7 GB",
        ] {
            assert!(text.contains(part), "{part} is not on the page, {width} wide:\n{text}");
        }
        // What is said to those who do not see: a heading, a table with names for rows and columns, a word a mark.
        assert_eq!(browser.evaluate("document.querySelectorAll('h1').length"), 1);
        assert_eq!(browser.evaluate("document.querySelectorAll('.matrix th[scope]').length"), 6 + 4);
        let unsaid = "[...document.querySelectorAll('main :not(.legend) > .sign')].filter(one => !one.nextElementSibling?.textContent).length";
        assert_eq!(browser.evaluate(unsaid), 0);
        // A bar is as long as its time is of the longest.
        let bars = "[...document.querySelectorAll('#image-1 .trial:first-of-type .bar')].map(bar => \
                    bar.firstElementChild.getBoundingClientRect().width / bar.getBoundingClientRect().width)";
        let bars: Vec<f64> = serde_json::from_value(browser.evaluate(bars)).unwrap();
        for (bar, time) in bars.iter().zip([3.1, 0.2, 21.4, 0.1, 12.9, 8.8]) {
            assert!((bar - time / 21.4).abs() < 0.01, "{bars:?}");
        }
        assert_eq!(bars.len(), 6);
        let layers = "[...document.querySelectorAll('#image-1 .layers rect')].map(bar => +bar.getAttribute('width'))";
        let layers: Vec<f64> = serde_json::from_value(browser.evaluate(layers)).unwrap();
        assert_eq!(layers, [100.0, 6.2, 2.1, 0.0]);
    });
}

#[test]
fn every_outcome_fits_every_screen() {
    let mut browser = Browser::start();
    for (kind, answers) in every_kind() {
        on_every_screen(&mut browser, kind, &in_format("html", &answers), |browser, _| {
            let marked = if answers.ok() { "h1.pass" } else { "h1.fail" };
            assert_eq!(browser.evaluate(&format!("document.querySelectorAll('{marked}').length")), 1, "{kind}");
        });
    }
}

#[test]
fn what_an_image_wrote_is_shown_and_not_obeyed() {
    let mut browser = Browser::start();
    let answers: Answers = samples::answers(vec![samples::hostile()]);
    on_every_screen(&mut browser, "hostile", &in_format("html", &answers), |browser, _| {
        assert_eq!(browser.evaluate("document.title"), "not verified: team/hostile:1");
        let text = said(browser);
        let shown = "<script>document.title='owned'</script>\"><img src=x onerror=document.title='owned'>";
        // The title, the evidence and the error of each check, the cause, its fix and reference, the note and its hint, …
        assert!(text.matches(shown).count() > 20, "{text}");
        let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t' || ('\u{202a}'..='\u{2069}').contains(&c);
        assert!(!text.contains(obeyed), "{text}");
    });
    // The policy keeps what got in from running: a page that breaks out of it is told so.
    let broken = in_format("html", &answers).replace("<main>", "<main><script>document.title = 'owned'</script>");
    let file = shown("broken.html");
    std::fs::write(&file, broken).unwrap();
    browser.open(&file, SCREENS[0], "light");
    assert_eq!(browser.evaluate("document.title"), "not verified: team/hostile:1");
    assert!(!browser.complaints().is_empty());
}
