package io.tlsrpt.standalone;

import java.nio.file.Path;

/// The contract, kept by the whole program in one JVM.
class HouseIT extends HouseBehaviour {

    @Override
    protected RunningHouse start(Path directory) {
        return House.start(directory);
    }
}
