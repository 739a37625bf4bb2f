package org.millwright.host;

/** The guest cannot go on; the task fails, and the process lives. The message names the place in the sources, and the record. */
final class GuestFailedException extends Exception {
    private static final long serialVersionUID = 1L;

    GuestFailedException(String message) {
        super(message);
    }
}
