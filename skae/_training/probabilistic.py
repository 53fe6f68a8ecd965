"""What variational autoencoders have to beat, and how they come to fill the prior."""

import torch

from skae.networks._layers import linear_map

# Least noise, over the largest variance: where codes have all of the variance.
_LEAST_NOISE = 1e-4


@torch.no_grad()
def become_probabilistic(module, pca, rows):
    """Make a module that is PCA probabilistic PCA [1]_, whose codes fill the prior.

    Parameters
    ----------
    module : Autoencoder
        Whose codes pass through a :class:`GaussianCode`.
    pca : PrincipalComponents
    rows : Tensor of shape (n, d)
        Of those that PCA was fitted to, to measure variances of codes and of what is
        left.

    References
    ----------
    .. [1] Tipping, M. E., Bishop, C. M. (1999). Probabilistic principal component
       analysis. Journal of the Royal Statistical Society B 61(3).
       :doi:`10.1111/1467-9868.00196`
    """
    k, d = pca.components.shape
    variance = pca.encode(rows).double().square().mean(0)
    total = (rows - pca.mean).double().square().sum(1).mean()
    least = _LEAST_NOISE * float(variance.max()) + torch.finfo(torch.float32).tiny
    noise = ((total - variance.sum()) / max(d - k, 1)).clamp(min=least)
    variance = variance.clamp(min=noise)
    gain = (variance - noise).sqrt()
    inner = module.bare
    encode, decode = linear_map(inner.encoder), linear_map(inner.decoder)
    # What the code has room for beyond them stays as the prior has it.
    encode.weight[:k] *= (gain / variance).float()[:, None]
    encode.bias[:k] *= (gain / variance).float()
    encode.weight[k:], encode.bias[k:] = 0, 0
    decode.weight[:, :k] *= gain.float()
    for factor in (inner.out_factor, inner.in_factor):
        if factor is not None:
            factor.fill_(1)
    left = torch.zeros(len(encode.weight), device=rows.device)
    left[:k] = (noise / variance).log()
    module.become_constant(left)


@torch.no_grad()
def prior_factors(module, codes):
    """By what to multiply codes (n, n_components), so that they fill the prior.

    Their second moments over all rows, with what varies around them, are then those of
    the prior, which is where the divergence from it is least. Training, which is short,
    leaves them larger, and draws from the prior would vary less than rows do.
    """
    moments = codes.square() + module.log_variance(codes).exp()
    return moments.mean(0).rsqrt()  # (n_components,)
