// FastJet in C++, for scripts/bench features: waits for a line, clusters the events of a file (see examples/jets.rs) with anti-kt
// R = 1.0, and prints the seconds and the number of jets above 20 GeV as JSON. FastJet is GPL: this is a program of its own.
//
// g++ -O3 -march=native fastjet.cc -o fastjet -lfastjet     (Debian: libfastjet-dev)
#include <fastjet/ClusterSequence.hh>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

int main(int, char** arguments) {
    std::vector<std::vector<fastjet::PseudoJet>> events;
    std::ifstream file(arguments[1], std::ios::binary);
    std::uint32_t number;
    while (file.read(reinterpret_cast<char*>(&number), 4)) {
        std::vector<double> p(4 * number);
        file.read(reinterpret_cast<char*>(p.data()), 32 * number);
        std::vector<fastjet::PseudoJet> event;
        for (std::uint32_t i = 0; i < number; ++i) event.emplace_back(p[4 * i], p[4 * i + 1], p[4 * i + 2], p[4 * i + 3]);
        events.push_back(event);
    }
    fastjet::ClusterSequence::set_fastjet_banner_stream(nullptr);
    const fastjet::JetDefinition definition(fastjet::antikt_algorithm, 1.0);
    std::cout << "ready" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
        const auto start = std::chrono::steady_clock::now();
        std::size_t jets = 0;
        for (const auto& event : events) jets += fastjet::ClusterSequence(event, definition).inclusive_jets(20.0).size();
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        std::printf("{\"seconds\": %.6f, \"jets\": %zu}\n", seconds.count(), jets);
        std::fflush(stdout);
    }
}
