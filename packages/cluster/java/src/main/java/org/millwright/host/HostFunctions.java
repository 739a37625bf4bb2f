package org.millwright.host;

import com.caoccao.javet.exceptions.JavetException;
import com.caoccao.javet.interop.V8Runtime;
import com.caoccao.javet.interop.callback.IJavetDirectCallable;
import com.caoccao.javet.interop.callback.JavetCallbackContext;
import com.caoccao.javet.interop.callback.JavetCallbackType;
import com.caoccao.javet.values.V8Value;
import com.caoccao.javet.values.reference.V8ValueArrayBuffer;
import com.caoccao.javet.values.reference.V8ValueObject;
import com.caoccao.javet.values.reference.V8ValueTypedArray;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.HexFormat;

/** What plain V8 lacks and a guest is given, as {@code millwrightHost}: hashes and signatures. */
final class HostFunctions {
    /** DER prefix of an Ed25519 public key (RFC 8410, section 4): what follows are its 32 bytes. */
    private static final byte[] ED25519_PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");

    private HostFunctions() {}

    /** Puts the functions into the global scope. */
    static void install(V8Runtime runtime) throws JavetException {
        try (V8ValueObject host = runtime.createV8ValueObject()) {
            bind(host, "sha256", arguments -> runtime.createV8ValueString(sha256(bytes(arguments[0]))));
            bind(host, "verifyEd25519", arguments -> runtime.createV8ValueBoolean(
                    verifyEd25519(bytes(arguments[0]), bytes(arguments[1]), bytes(arguments[2]))));
            runtime.getGlobalObject().set("millwrightHost", host);
        }
    }

    /** SHA-256 as lower-case hexadecimal. */
    static String sha256(byte[] bytes) throws GeneralSecurityException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    /** Whether an Ed25519 signature holds; false also where the key is no point of the curve. */
    static boolean verifyEd25519(byte[] publicKey, byte[] message, byte[] signature) throws GeneralSecurityException {
        byte[] encoded = new byte[ED25519_PREFIX.length + publicKey.length];
        System.arraycopy(ED25519_PREFIX, 0, encoded, 0, ED25519_PREFIX.length);
        System.arraycopy(publicKey, 0, encoded, ED25519_PREFIX.length, publicKey.length);
        Signature verifier = Signature.getInstance("Ed25519");
        try {
            verifier.initVerify(KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded)));
            verifier.update(message);
            return verifier.verify(signature);
        } catch (java.security.InvalidKeyException | java.security.SignatureException | java.security.spec.InvalidKeySpecException refused) {
            return false;
        }
    }

    /** The bytes of a view: those it shows, not those of the whole buffer behind it. */
    private static byte[] bytes(V8Value value) throws JavetException {
        V8ValueTypedArray view = (V8ValueTypedArray) value;
        byte[] bytes = new byte[view.getByteLength()];
        try (V8ValueArrayBuffer buffer = view.getBuffer()) {
            buffer.getByteBuffer().get(view.getByteOffset(), bytes);
        }
        return bytes;
    }

    private static void bind(V8ValueObject host, String name, IJavetDirectCallable.NoThisAndResult<Exception> call)
            throws JavetException {
        host.bindFunction(new JavetCallbackContext(name, JavetCallbackType.DirectCallNoThisAndResult, call));
    }
}
