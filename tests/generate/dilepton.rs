//! `dilepton/1`: yields, peaks, tails and multiplicities.

use super::*;

const ELECTRON: u8 = 11;
const MUON: u8 = 13;

#[derive(Clone, Copy)]
struct Lepton {
    flavour: u8,
    charge: f32,
    momentum: FourMomentum,
    pt: f32,
}

/// Electrons and muons of the event, by pT.
fn leptons(table: &Table, event: usize) -> Vec<Lepton> {
    let mut all = Vec::new();
    for (name, flavour) in [("Electron", ELECTRON), ("Muon", MUON)] {
        let [pt, eta, phi, mass, charge] =
            ["pt", "eta", "phi", "mass", "charge"].map(|quantity| table.list(name, quantity, event));
        assert!(pt.is_sorted_by(|a, b| a >= b), "{name} {pt:?}");
        for index in 0..pt.len() {
            let momentum = FourMomentum::from_pt_eta_phi_mass(pt[index], eta[index], phi[index], mass[index]);
            all.push(Lepton { flavour, charge: charge[index], momentum, pt: pt[index] });
        }
    }
    all.sort_by(|a, b| b.pt.total_cmp(&a.pt));
    all
}

/// What is asked of a sample here.
#[derive(Default)]
struct Summary {
    ee: usize,
    mumu: usize,
    emu: usize,
    same_sign: usize,
    three: usize,
    masses: Vec<f64>,
    missing: Vec<f64>,
    two_jets: usize,
    tags: usize,
    photons: usize,
}

impl Summary {
    /// Of the events whose two leading leptons have pT > 27 GeV.
    fn new(sample: &DileptonSample) -> Self {
        let batch = sample.columns(0..sample.events);
        let table = Table::new(sample, &batch);
        let mut summary = Self::default();
        for event in 0..table.events() {
            let leptons = leptons(&table, event);
            if leptons.len() < 2 || leptons[1].pt <= 27.0 {
                continue;
            }
            match [leptons[0].flavour, leptons[1].flavour] {
                [ELECTRON, ELECTRON] => summary.ee += 1,
                [MUON, MUON] => summary.mumu += 1,
                _ => summary.emu += 1,
            }
            summary.same_sign += usize::from(leptons[0].charge == leptons[1].charge);
            summary.three += usize::from(leptons.len() > 2);
            summary.masses.push((leptons[0].momentum + leptons[1].momentum).mass());
            summary.missing.push(f64::from(table.scalar("MET_pt")[event]));
            summary.two_jets += usize::from(table.list("Jet", "pt", event).len() >= 2);
            summary.tags += table.list("Jet", "btag", event).iter().filter(|&&score| score > 0.8).count();
            summary.photons += table.list("Photon", "pt", event).len();
        }
        summary
    }

    fn of(process: Process, events: u64) -> Self {
        Self::new(&DileptonSample { seed: 4, events, process, ..Default::default() })
    }

    fn of_signal(signal: Signal) -> Self {
        Self::new(&DileptonSample { seed: 4, events: signal.events, signal: Some(signal), ..Default::default() })
    }

    fn selected(&self) -> usize {
        self.masses.len()
    }

    fn above(values: &[f64], limit: f64) -> usize {
        values.iter().filter(|&&value| value > limit).count()
    }
}

#[test]
fn the_mixture_has_the_flavours_of_the_data() {
    // 391,781 ee, 495,291 mumu and 8,772 emu events of 1 % of the Run 2 data.
    let summary = Summary::of(Process::Mixture, 300_000);
    let n = summary.selected();
    assert!(n > 50_000, "{n}");
    assert_share(summary.ee, n, 0.437, 0.005);
    assert_share(summary.mumu, n, 0.553, 0.005);
    assert_share(summary.emu, n, 0.0098, 0.0003);
    // Nearly everything is at the Z, and the tail beyond it falls by a power.
    let (low, high) = (Summary::above(&summary.masses, 66.0), Summary::above(&summary.masses, 116.0));
    assert_share(low - high, n, 0.94, 0.03);
    let tail = Summary::above(&summary.masses, 120.0) as f64 / Summary::above(&summary.masses, 240.0) as f64;
    assert!((8.0..30.0).contains(&tail), "{tail}");
}

#[test]
fn the_z_peaks_at_its_mass_with_its_width_and_little_is_missing() {
    let mut summary = Summary::of(Process::Z, 60_000);
    let n = summary.selected();
    let (low, middle, high) =
        (quantile(&mut summary.masses, 0.25), quantile(&mut summary.masses, 0.5), quantile(&mut summary.masses, 0.75));
    // The quartiles of the Breit-Wigner alone are 1.25 GeV from the pole; the resolution adds 1.5 GeV or so.
    assert!((middle - 91.19).abs() < 0.15, "{middle}");
    assert!((1.3..2.6).contains(&(0.5 * (high - low))), "{}", 0.5 * (high - low));
    let mut missing = summary.missing.clone();
    let at = |missing: &mut Vec<f64>, p| quantile(missing, p);
    // A Rayleigh distribution of the soft term's width, sqrt(64 + 0.35 sum pT) = 10 GeV, has its median at 1.18 of it.
    assert!((10.5..13.5).contains(&at(&mut missing, 0.5)), "{}", at(&mut missing, 0.5));
    assert!((Summary::above(&missing, 100.0) as f64) < 0.002 * n as f64);
    // Taus to e and mu: emu is twice either, and soft.
    assert!(summary.emu < n / 500 && summary.emu > n / 5000, "{} of {n}", summary.emu);
    assert_eq!(summary.same_sign, 0);
    assert_eq!(summary.three, 0);
}

#[test]
fn transverse_momenta_of_the_z_follow_the_recoil() {
    let sample = DileptonSample { events: 40_000, process: Process::Z, ..Default::default() };
    let batch = sample.columns(0..sample.events);
    let table = Table::new(&sample, &batch);
    let mut pts = Vec::new();
    for event in 0..table.events() {
        let leptons = leptons(&table, event);
        if let [one, two] = leptons[..]
            && (80.0..100.0).contains(&(one.momentum + two.momentum).mass())
        {
            pts.push((one.momentum + two.momentum).pt());
        }
    }
    for x in [30.0f64, 60.0, 120.0] {
        let expected = (1.0 + (x / 12.0).powi(2)).powf(-0.9) * (-x / 200.0).exp();
        // Leptons of a fast Z are more central: the acceptance grows a little with pT.
        assert_share(Summary::above(&pts, x), pts.len(), expected, 0.15 * expected);
    }
}

#[test]
fn top_quarks_give_two_leptons_two_b_jets_and_missing_momentum() {
    let pair = Summary::of(Process::TopPair, 20_000);
    let n = pair.selected();
    // e and mu of the two W are independent.
    let muons = (pair.mumu as f64 / n as f64).sqrt();
    assert_share(pair.ee, n, (1.0 - muons) * (1.0 - muons), 0.01);
    assert_share(pair.emu, n, 0.49, 0.01);
    assert_share(pair.two_jets, n, 0.96, 0.02);
    let tags = pair.tags as f64 / n as f64;
    // Two b jets, of which 77 % are tagged if they are within the tracker and above 20 GeV.
    assert!((1.25..1.6).contains(&tags), "{tags}");
    assert_share(Summary::above(&pair.missing, 100.0), n, 0.18, 0.04);
    let single = Summary::of(Process::SingleTop, 20_000);
    let tags = single.tags as f64 / single.selected() as f64;
    assert!((0.6..0.85).contains(&tags), "{tags}");
}

#[test]
fn several_bosons_give_third_leptons_photons_and_equal_charges() {
    let two = Summary::of(Process::Diboson, 30_000);
    let three = Summary::of(Process::Triboson, 30_000);
    // Z gamma is 14 % of the pairs, and two photons are in 20 % of the triples.
    let photons = [&two, &three].map(|summary| summary.photons as f64 / summary.selected() as f64);
    assert!((0.06..0.2).contains(&photons[0]) && (0.2..0.5).contains(&photons[1]), "{photons:?}");
    assert_share(two.three, two.selected(), 0.065, 0.015);
    assert!(three.three * two.selected() > two.three * three.selected());
    assert!(three.same_sign * 5 > three.selected(), "{}", three.same_sign);
}

#[test]
fn w_and_jets_give_false_leptons_of_either_charge() {
    let w = Summary::of(Process::WJets, 40_000);
    assert_share(w.same_sign, w.selected(), 0.5, 0.0);
    // The prompt lepton is e or mu alike, the false one is an electron in 70 %: ee over mumu is 7/3 times the efficiencies.
    let ratio = w.ee as f64 / w.mumu as f64;
    assert!((1.5..2.4).contains(&ratio), "{ratio}");
    assert_share(Summary::above(&w.missing, 30.0), w.selected(), 0.7, 0.1);
}

#[test]
fn resonances_peak_at_their_masses() {
    for kind in [SignalKind::ZPrime, SignalKind::Graviton] {
        for mass_gev in [500.0, 2000.0, 3000.0] {
            let mut summary = Summary::of_signal(Signal { mass_gev, ..Signal::new(kind, 3000) });
            assert!(summary.selected() > 1500);
            let middle = quantile(&mut summary.masses, 0.5);
            assert!((middle / mass_gev - 1.0).abs() < 0.01, "{kind:?} {middle}");
            assert_eq!(summary.emu, 0);
        }
    }
}

#[test]
fn a_heavy_scalar_is_a_z_and_as_much_missing_momentum() {
    for mass_gev in [200.0, 400.0, 1000.0, 3000.0] {
        let mut summary = Summary::of_signal(Signal { mass_gev, ..Signal::new(SignalKind::HeavyScalar, 3000) });
        assert!((quantile(&mut summary.masses, 0.5) - 91.19).abs() < 0.8);
        // The momentum of either Z: sqrt(m^2/4 - m_Z^2); two thirds of isotropic decays have a sine above 0.74.
        let momentum = (0.25 * mass_gev * mass_gev - 91.19f64 * 91.19).sqrt();
        let middle = quantile(&mut summary.missing, 0.5);
        assert!(middle > 0.75 * momentum && middle < 1.1 * momentum + 10.0, "{middle} for {mass_gev} GeV");
    }
}

#[test]
fn stops_give_both_flavours_b_jets_and_much_missing_momentum() {
    let stops = Summary::of_signal(Signal::new(SignalKind::StopPair, 10_000));
    assert_share(stops.emu, stops.selected(), 0.49, 0.01);
    assert!(stops.tags * 10 > stops.selected() * 13, "{}", stops.tags);
    assert!(median(stops.missing.iter().copied()) > 150.0);
}

#[test]
fn signals_have_their_number_and_their_label_apart() {
    let signal = Signal::new(SignalKind::ZPrime, 37);
    let sample = DileptonSample { events: 1000, signal: Some(signal), ..Default::default() };
    let batch = sample.columns(0..1000);
    let table = Table::new(&sample, &batch);
    let (kind, process) = (table.scalar("truth_signal"), table.scalar("truth_process"));
    assert_eq!(kind.iter().filter(|&&kind| kind == 2.0).count(), 37);
    assert!(kind.iter().zip(process).all(|(&kind, &process)| (kind == 2.0) == (process == -1.0)));
    assert!(process.iter().all(|process| (-1.0..=5.0).contains(process)));
}

#[test]
fn the_tunes_differ_a_little() {
    let nominal = DileptonSample { seed: 4, events: 40_000, process: Process::TopPair, ..Default::default() };
    let jets = |sample: &DileptonSample| {
        let batch = sample.columns(0..sample.events);
        let table = Table::new(sample, &batch);
        let pts: Vec<f64> = (0..table.events())
            .map(|event| table.list("Jet", "pt", event).iter().map(|&pt| f64::from(pt)).sum::<f64>())
            .collect();
        mean(&pts)
    };
    let ratio = jets(&DileptonSample { tune: Tune::Alternative, ..nominal }) / jets(&nominal);
    // The width of the sum is about half its mean: the error of the ratio is 0.0035.
    assert!((1.014..1.12).contains(&ratio), "{ratio}");
}
