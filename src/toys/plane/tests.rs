//! The shipped edges and every way in which a file of edges can be wrong.

use super::*;

fn shipped(name: &str) -> Plane {
    Plane::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("cards/edges").join(name)).unwrap()
}

#[test]
fn the_proposed_plane_has_1620_cells_and_both_published_windows() {
    let plane = shipped("y-xh-proposed.toml");
    assert!(plane.label().contains("proposed"));
    assert_eq!((plane.rows(), plane.columns(), plane.cells()), (27, 60, 1620));
    let windows = plane.windows().unwrap();
    assert_eq!(windows.len(), 1539);
    assert!(plane.m_x_windows_gev().contains(&(75.5, 95.5)) && plane.m_x_windows_gev().contains(&(113.0, 137.0)));
    assert_eq!((plane.m_x_edges_gev()[0], plane.m_x_edges_gev()[60]), (51.54, 3000.0));
    for window in windows.ids() {
        let (low, high) = windows.bounds(window);
        assert_eq!((low, high), plane.m_x_windows_gev()[window.0 as usize % 57]);
        assert_eq!(windows.row(window), window.0 as usize / 57);
        assert!((2..=3).contains(&windows.range(window).len()));
    }
}

#[test]
fn the_proposed_edges_follow_their_formula() {
    let plane = shipped("y-xh-proposed.toml");
    for (k, (low, high)) in plane.m_x_windows_gev().iter().enumerate() {
        let edge = |k: usize| 187.5 * 1.2_f64.powf((k as f64 - 3.0) / 4.0) - 112.0;
        assert!((low - edge(k)).abs() < 0.0051, "{k}: {low} {}", edge(k));
        let published = [(75.5, 95.5), (113.0, 137.0)].contains(&(*low, *high));
        assert!(published || k == 56 || (high - edge(k + 2)).abs() < 0.0051, "{k}: {high}");
    }
    for (k, edge) in plane.m_y_edges_gev().iter().enumerate() {
        assert!((edge - 1300.0 * (6000.0_f64 / 1300.0).powf(k as f64 / 27.0)).abs() < 0.051, "{k}: {edge}");
    }
}

#[test]
fn cells_that_no_window_edge_divides_are_joined() {
    // 57 windows of 3 to 5 of 114 segments, beginning at every second one: 21 of the 115 edges are no window's. The 114
    // segments themselves are windows over given cells.
    let edges: Vec<f64> = (0..=114).map(|edge| 50.0 + f64::from(edge)).collect();
    let ranges: Vec<_> = (0..57).map(|w: usize| 2 * w..(2 * w + 3 + w / 19).min(114)).collect();
    let windows = ranges.iter().map(|range| (edges[range.start], edges[range.end])).collect();
    let m_y: Vec<f64> = (1..=28).map(f64::from).collect();
    let plane = Plane::new("benchmark", m_y.clone(), windows, &Invariants::default()).unwrap();
    assert_eq!((plane.columns(), plane.windows().unwrap().len()), (93, 1539));
    let segments = Windows::plane(m_y, edges, &ranges).unwrap();
    assert_eq!((segments.cells(), segments.len()), (3078, 1539));
}

#[test]
fn csv_and_toml_give_the_same_plane() {
    let csv = "# small\naxis,low_gev,high_gev\nm_y,1000,1500\nm_y,1500,2000\nm_x,60,90\nm_x,75,110\ncontains,75,110\n";
    let toml = "label = \"small\"\nm_y_edges_gev = [1000, 1500, 2000]\nm_x_windows_gev = [[60, 90], [75, 110]]\n";
    assert_eq!(Plane::from_csv("a.csv", csv).unwrap(), Plane::from_toml("a.toml", toml).unwrap());
}

#[test]
fn every_problem_is_found_at_once() {
    let invariants =
        Invariants { m_y_bins: Some(3), m_x_windows: Some(5), m_x_cells: Some(1), contains_gev: vec![(1.0, 2.0)] };
    let windows = vec![(60.0, 90.0), (95.0, 110.0), (60.0, 90.0), (130.0, 125.0)];
    let error = Plane::new("bad", vec![1000.0, 900.0, f64::NAN], windows, &invariants).unwrap_err();
    let text = error.to_string();
    for part in [
        "m_Y edge NaN",
        "edges 1000 and 900 do not rise",
        "window 4 is [130, 125]",
        "m_X windows 1 and 3 are both [60, 90] (it would be one more trial of the same)",
        "2 m_Y bins, 3 were expected",
        "4 m_X windows, 5 were expected",
        "exclusive m_X cells, 1 were expected",
        "the m_X window [1, 2] is missing",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
}

#[test]
fn windows_may_be_nested_begin_together_or_leave_a_gap() {
    let windows = vec![(60.0, 90.0), (60.0, 75.0), (65.0, 70.0), (110.0, 130.0)];
    let plane = Plane::new("any", vec![1000.0, 1500.0, 2000.0], windows.clone(), &Invariants::default()).unwrap();
    assert_eq!(plane.m_x_edges_gev(), [60.0, 65.0, 70.0, 75.0, 90.0, 110.0, 130.0]);
    let found = plane.windows().unwrap();
    assert_eq!(found.ids().take(4).map(|id| found.bounds(id)).collect::<Vec<_>>(), windows);
    assert_eq!(found.cells_in_none(), [4, 10]);
}

#[test]
fn files_with_mistakes_name_the_line() {
    let error = Plane::from_toml("e.toml", "m_y_edges_gev = [1.0, 2.0]\nm_x_windows_gev = [[1, 2, 3]]\n").unwrap_err();
    assert!(error.to_string().contains("e.toml:2: m_x_windows_gev: entry 1 should be [low, high]"), "{error}");
    let error = Plane::from_toml("e.toml", "m_x_windos_gev = 3\n").unwrap_err().to_string();
    assert!(error.contains("key 'm_y_edges_gev' is missing") && error.contains("m_x_windos_gev"), "{error}");
    let error = Plane::from_csv("e.csv", "m_y,1,2\nm_y,3,4\nm_x,1\nm_z,1,2\nm_x,a,2\n").unwrap_err();
    assert_eq!(error.problems().len(), 4, "{error}");
    assert!(error.to_string().contains("e.csv:2"), "{error}");
    assert!(Plane::read("no/such/file.toml").unwrap_err().to_string().contains("cannot read"));
}
