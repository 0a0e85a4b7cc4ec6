// features.dijet: the two leading jets of each event, a thread an event.
#include "features/cluster.cuh"
#include "features/dijet.cuh"

extern "C" __global__ void __launch_bounds__(256, 3) features_dijet(
    const u32* offsets, const double* px, const double* py, const double* pz, const double* energy,
    const double* scores, u32 events, u32 labelling, u32 kind_of_scores, double top_fraction, u32* verdict, u32* first,
    u32* second, double* mass_gev, double* rapidity_difference, double* discriminant_first,
    double* discriminant_second) {
    using namespace dijet;
    for (u32 event = blockIdx.x * blockDim.x + threadIdx.x; event < events; event += gridDim.x * blockDim.x) {
        const u32 start = offsets[event];
        const u32 end = offsets[event + 1u];
        if (end - start < 2u) {
            verdict[event] = TOO_FEW_JETS;
            first[event] = second[event] = 0u;
            mass_gev[event] = rapidity_difference[event] = 0.0;
            discriminant_first[event] = discriminant_second[event] = 0.0;
            continue;
        }
        // The two of largest pT; of equal ones the first.
        u32 rows[2] = {0u, 0u};
        double largest = -1.0;
        double next = -1.0;
        for (u32 row = start; row < end; ++row) {
            const double pt2 = px[row] * px[row] + py[row] * py[row];
            if (pt2 > largest) {
                rows[1] = rows[0];
                next = largest;
                rows[0] = row;
                largest = pt2;
            } else if (pt2 > next) {
                rows[1] = row;
                next = pt2;
            }
        }
        FourMomentum p[2];
        double y[2];
        double d[2] = {0.0, 0.0};
#pragma unroll
        for (u32 k = 0u; k < 2u; ++k) {
            const u32 row = rows[k];
            p[k] = FourMomentum{px[row], py[row], pz[row], energy[row]};
            y[k] = cluster::rapidity_of(p[k], cluster::pt2_of(p[k]));
            const double* score = scores + 3u * row;
            if (kind_of_scores == PROBABILITIES) d[k] = of_probabilities(score[0], score[1], score[2], top_fraction);
            if (kind_of_scores == LOGITS) d[k] = of_logits(score[0], score[1], score[2], top_fraction);
        }
        const double mass2 = mass2_of(p[0]);
        const double other_mass2 = mass2_of(p[1]);
        const bool swapped = (labelling == HEAVIER_FIRST && other_mass2 > mass2) ||
                             (labelling == LIGHTER_FIRST && other_mass2 < mass2) ||
                             (labelling == HIGGS_FIRST && d[1] > d[0]);
        verdict[event] = FOUND;
        first[event] = (swapped ? rows[1] : rows[0]) - start;
        second[event] = (swapped ? rows[0] : rows[1]) - start;
        mass_gev[event] = lorentz::mass_of(lorentz::add_momenta(p[0], p[1]));
        rapidity_difference[event] = det::absolute(y[0] - y[1]);
        discriminant_first[event] = swapped ? d[1] : d[0];
        discriminant_second[event] = swapped ? d[0] : d[1];
    }
}
