package org.millwright.host;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The script that runs in V8.
 *
 * @param source JavaScript
 * @param sourceMap where its places come from, JSON
 */
record GuestScript(String source, String sourceMap) implements Serializable {
    /** The name it is run under: errors have it. */
    static final String NAME = "guest.js";

    /** SHA-256 of the source: what a script does is decided by nothing else. */
    byte[] digest() {
        try {
            return MessageDigest.getInstance("SHA-256").digest(source.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException absent) {
            throw new IllegalStateException("Every Java has SHA-256", absent);
        }
    }
}
