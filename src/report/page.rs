//! The page: the answer first, then the plots, then what is needed to trust and to repeat it.

use super::data::{Answer, Figure, ReportData, Verdict};
use super::markup::{Dialect, Element};
use super::tables;

/// Sized in `rem`, coloured for paper. Holds no character that XML or HTML would escape.
const STYLE: &str = include_str!("page.css");

impl ReportData {
    /// The page as one self-contained text.
    pub fn html(&self) -> String {
        let head = Element::new("head")
            .child(Element::new("meta").with("charset", "utf-8"))
            .child(Element::new("meta").with("name", "viewport").with("content", "width=device-width, initial-scale=1"))
            .child(Element::new("meta").with("name", "generator").with("content", "Trawl"))
            .child(Element::new("title").text(format!("{} – Trawl report", self.title)))
            .child(Element::new("style").text(STYLE));
        let page = Element::new("html").with("lang", "en").child(head).child(self.body());
        format!("<!DOCTYPE html>\n{page}\n")
    }

    /// Every file of the report as (name, content): picture and numbers of each figure, and the page last.
    pub fn texts(&self) -> Vec<(String, String)> {
        let figures = self.figures.iter().flat_map(|figure| {
            [(format!("{}.svg", figure.name), figure.plot.svg()), (format!("{}.csv", figure.name), figure.plot.csv())]
        });
        figures.chain(std::iter::once(("report.html".to_owned(), self.html()))).collect()
    }

    fn body(&self) -> Element {
        let mut main = Element::new("main").child(self.header());
        if !self.answer.headline.is_empty() || !self.answer.facts.is_empty() {
            main.push(answer(&self.answer));
        }
        for figure in &self.figures {
            main.push(drawn(figure));
        }
        for flow in &self.cutflows {
            main.push(section(&format!("Cutflow of {}", flow.sample)).child(tables::cutflow(flow)));
        }
        if !self.left_out.is_empty() {
            let plural = if self.left_out.len() == 1 { "" } else { "s" };
            let title = format!("{} window{plural} left out", self.left_out.len());
            main.push(section(&title).child(tables::left_out(&self.left_out)));
        }
        if !self.stages.is_empty() {
            main.push(section("Time per stage").child(tables::timings(&self.stages)));
        }
        if !self.inputs.is_empty() {
            main.push(section("Inputs").child(tables::inputs(&self.inputs)));
        }
        if !self.provenance.is_empty() {
            main.push(section("Provenance").child(tables::facts(&self.provenance)));
        }
        if !self.card.is_empty() {
            main.push(self.settings());
        }
        if !self.figures.is_empty() || !self.files.is_empty() {
            main.push(section("The numbers behind").child(tables::files(self)));
        }
        Element::new("body").child(main)
    }

    fn header(&self) -> Element {
        let mut header = Element::new("header").child(Element::new("p").with("class", "program").text("Trawl"));
        header.push(Element::new("h1").text(&self.title));
        if !self.description.is_empty() {
            header.push(Element::new("p").with("class", "description").text(&self.description));
        }
        header
    }

    fn settings(&self) -> Element {
        let mut part = section("Settings");
        if !self.overrides.is_empty() {
            part.push(Element::new("p").text("Set on the command line, over the card:"));
            part.push(Element::new("pre").text(self.overrides.join("\n")));
        }
        part.child(Element::new("pre").text(&self.card))
    }
}

fn section(title: &str) -> Element {
    Element::new("section").child(Element::new("h2").text(title))
}

fn answer(answer: &Answer) -> Element {
    let class = match answer.verdict {
        Verdict::Ordinary => "answer ordinary",
        Verdict::Notable => "answer notable",
        Verdict::Striking => "answer striking",
    };
    let mut list = Element::new("dl");
    for fact in &answer.facts {
        let pair = Element::new("div")
            .child(Element::new("dt").rich(&fact.name, Dialect::Html))
            .child(Element::new("dd").rich(&fact.value, Dialect::Html));
        list.push(pair);
    }
    let headline = Element::new("p").with("class", "headline").rich(&answer.headline, Dialect::Html);
    Element::new("section").with("class", class).child(headline).child(list)
}

fn drawn(figure: &Figure) -> Element {
    let files = Element::new("span")
        .with("class", "files")
        .child(tables::link(&format!("{}.svg", figure.name)))
        .text(" · ")
        .child(tables::link(&format!("{}.csv", figure.name)));
    let caption = Element::new("figcaption").rich(&figure.caption, Dialect::Html).text(" ").child(files);
    Element::new("section")
        .child(Element::new("h2").rich(&figure.title, Dialect::Html))
        .child(Element::new("figure").child(figure.plot.draw(&figure.name)).child(caption))
}
