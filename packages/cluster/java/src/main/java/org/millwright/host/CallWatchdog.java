package org.millwright.host;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Ends calls that do not come back. One thread looks after all guests of a process, and ends with the last of them.
 */
final class CallWatchdog {
    /** A guest that may be in a call. */
    interface Watched {
        /** When the call at hand began, by {@link System#nanoTime}; 0 where none is. */
        long callBeganNanos();

        /** Longest call, nanoseconds. */
        long callNanosMax();

        /** Ends the call at hand; called from another thread. */
        void endCall();
    }

    private static final long LOOK_EVERY_MS = 100;
    private static final Set<Watched> WATCHED = ConcurrentHashMap.newKeySet();
    private static Thread thread;

    private CallWatchdog() {}

    static synchronized void watch(Watched watched) {
        WATCHED.add(watched);
        if (thread == null) {
            thread = new Thread(CallWatchdog::look, "guest-watchdog");
            thread.setDaemon(true);
            // Not the class loader of the job that happened to be first: it would live as long as the thread.
            thread.setContextClassLoader(null);
            thread.start();
        }
    }

    static synchronized void unwatch(Watched watched) {
        WATCHED.remove(watched);
        if (WATCHED.isEmpty() && thread != null) {
            thread.interrupt();
            thread = null;
        }
    }

    private static void look() {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                long now = System.nanoTime();
                for (Watched watched : WATCHED) {
                    long began = watched.callBeganNanos();
                    if (began != 0 && now - began > watched.callNanosMax()) {
                        watched.endCall();
                    }
                }
                Thread.sleep(LOOK_EVERY_MS);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
