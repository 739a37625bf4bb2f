package org.millwright.host;

import java.io.Serializable;

/**
 * The script that runs in V8.
 *
 * @param source JavaScript
 * @param sourceMap where its places come from, JSON
 */
record GuestScript(String source, String sourceMap) implements Serializable {
    /** The name it is run under: errors have it. */
    static final String NAME = "guest.js";
}
