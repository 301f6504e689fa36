package io.tlsrpt.dkim;

import com.google.common.net.InternetDomainName;
import java.util.Optional;

/// Which names belong to one owner, by the Public Suffix List (the only file that knows where the list comes from).
final class OrganizationalDomain {

    private OrganizationalDomain() {}

    /// Whether a signer may speak for a domain: it is that domain, or a parent of it at or below its organisational
    /// domain.
    /// Registries (com, co.uk) speak for nobody; a private suffix (github.io) for itself and not for its customers.
    ///
    /// @param signer canonical
    /// @param domain canonical
    static boolean speaksFor(String signer, String domain) {
        if (isRegistry(signer)) {
            return false;
        }
        return signer.equals(domain)
                || (isWithin(domain, signer)
                        && of(domain)
                                .filter(organization -> isWithin(signer, organization))
                                .isPresent());
    }

    /// Whether anybody may register names right under this one: an ICANN suffix of the list, or a single label.
    static boolean isRegistry(String name) {
        return name.indexOf('.') < 0
                || (InternetDomainName.isValid(name)
                        && InternetDomainName.from(name).isRegistrySuffix());
    }

    /// Whether a name is the other or lies under it.
    static boolean isWithin(String name, String parent) {
        return name.equals(parent) || name.endsWith("." + parent);
    }

    /// One label below the public suffix; two labels where the list has no rule (its default rule is `*`); empty for a
    /// suffix itself.
    private static Optional<String> of(String domain) {
        if (!InternetDomainName.isValid(domain)) {
            return Optional.empty();
        }
        InternetDomainName name = InternetDomainName.from(domain);
        if (name.isUnderPublicSuffix()) {
            return Optional.of(name.topPrivateDomain().toString());
        }
        if (name.isPublicSuffix() || !name.hasParent()) {
            return Optional.empty();
        }
        int dot = domain.lastIndexOf('.', domain.lastIndexOf('.') - 1);
        return Optional.of(domain.substring(dot + 1));
    }
}
