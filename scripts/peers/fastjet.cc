// FastJet in C++, for scripts/bench features: fastjet FILE cluster|splitting
//
// Waits for a line, works on all groups of particles of a file (see examples/jets.rs), and prints the seconds and what it found as
// JSON: the number of anti-kt R = 1.0 jets above 20 GeV of events, or Split12 and Split23 of jets. FastJet is GPL: this is a
// program of its own.
//
// g++ -O3 -march=native fastjet.cc -o fastjet -lfastjet     (Debian: libfastjet-dev)
#include <fastjet/ClusterSequence.hh>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

// Nothing ends by itself within this radius.
constexpr double LARGE = 10.0;

void print(const char* name, const std::vector<double>& values) {
    std::printf("\"%s\": ", name);
    for (std::size_t i = 0; i < values.size(); ++i) std::printf("%s%.17g", i ? ", " : "[", values[i]);
    std::printf("]");
}

int main(int, char** arguments) {
    std::vector<std::vector<fastjet::PseudoJet>> groups;
    std::ifstream file(arguments[1], std::ios::binary);
    const bool splitting = std::string(arguments[2]) == "splitting";
    std::uint32_t number;
    while (file.read(reinterpret_cast<char*>(&number), 4)) {
        std::vector<double> p(4 * number);
        file.read(reinterpret_cast<char*>(p.data()), 32 * number);
        std::vector<fastjet::PseudoJet> group;
        for (std::uint32_t i = 0; i < number; ++i) group.emplace_back(p[4 * i], p[4 * i + 1], p[4 * i + 2], p[4 * i + 3]);
        groups.push_back(group);
    }
    fastjet::ClusterSequence::set_fastjet_banner_stream(nullptr);
    const fastjet::JetDefinition antikt(fastjet::antikt_algorithm, 1.0), kt(fastjet::kt_algorithm, LARGE);
    std::vector<double> split12(groups.size()), split23(groups.size());
    std::cout << "ready" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
        const auto start = std::chrono::steady_clock::now();
        std::size_t jets = 0;
        if (splitting) {
            for (std::size_t i = 0; i < groups.size(); ++i) {
                const fastjet::ClusterSequence sequence(groups[i], kt);
                split12[i] = LARGE * std::sqrt(sequence.exclusive_dmerge(1));
                split23[i] = LARGE * std::sqrt(sequence.exclusive_dmerge(2));
            }
        } else {
            for (const auto& group : groups) jets += fastjet::ClusterSequence(group, antikt).inclusive_jets(20.0).size();
        }
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        std::printf("{\"seconds\": %.6f, \"found\": {", seconds.count());
        if (splitting) {
            print("Split12", split12);
            std::printf(", ");
            print("Split23", split23);
        } else {
            std::printf("\"jets_above_20_gev\": %zu", jets);
        }
        std::printf("}}\n");
        std::fflush(stdout);
    }
}
