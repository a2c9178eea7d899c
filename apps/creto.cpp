// creto: the program. Everything is in cli/.
#include "cli/main.hpp"

int main(int argc, char** argv) {
    return creto::creto_main(argc, argv);
}
