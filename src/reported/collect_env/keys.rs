//! The names before the colons, and the headings.

/// What a line of a report tells. Names that are known and told nothing of here still end what is before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key {
    Torch,
    Debug,
    CudaBuild,
    RocmBuild,
    XpuBuild,
    Os,
    Gcc,
    Clang,
    Cmake,
    Libc,
    Python,
    Platform,
    CudaAvailable,
    CudaRuntime,
    ModuleLoading,
    Gpus,
    Driver,
    Cudnn,
    XpuAvailable,
    IntelDriver,
    IntelOnboard,
    IntelDetected,
    IntelGpus,
    HipRuntime,
    Miopen,
    Xnnpack,
    Allocator,
    Processor,
    Libraries,
    RocmInstalled,
    Vllm,
    BuildFlags,
    Topology,
    Other,
}

/// Each name as a report writes it. Where one begins another, the longer is first.
pub(super) const KEYS: [(&str, Key); 46] = [
    ("PyTorch version", Key::Torch),
    ("Is debug build", Key::Debug),
    ("CUDA used to build PyTorch", Key::CudaBuild),
    ("ROCM used to build PyTorch", Key::RocmBuild),
    ("XPU used to build PyTorch", Key::XpuBuild),
    ("OS", Key::Os),
    ("GCC version", Key::Gcc),
    ("Clang version", Key::Clang),
    ("CMake version", Key::Cmake),
    ("Libc version", Key::Libc),
    ("Python version", Key::Python),
    ("Python platform", Key::Platform),
    ("Is CUDA available", Key::CudaAvailable),
    ("CUDA runtime version", Key::CudaRuntime),
    ("CUDA_MODULE_LOADING set to", Key::ModuleLoading),
    ("GPU models and configuration", Key::Gpus),
    ("Nvidia driver version", Key::Driver),
    ("cuDNN version", Key::Cudnn),
    ("Is XPU available", Key::XpuAvailable),
    ("Intel GPU driver version", Key::IntelDriver),
    ("Intel GPU models onboard", Key::IntelOnboard),
    ("Intel GPU models detected", Key::IntelDetected),
    ("Intel GPU models", Key::IntelGpus),
    ("HIP runtime version", Key::HipRuntime),
    ("MIOpen runtime version", Key::Miopen),
    ("Is XNNPACK available", Key::Xnnpack),
    ("Caching allocator config", Key::Allocator),
    ("CPU", Key::Processor),
    ("Versions of relevant libraries", Key::Libraries),
    ("ROCM Version", Key::RocmInstalled),
    ("vLLM Version", Key::Vllm),
    ("vLLM Build Flags", Key::BuildFlags),
    ("GPU Topology", Key::Topology),
    ("Neuron SDK Version", Key::Other),
    ("XPU runtime version", Key::Other),
    ("oneAPI compiler version", Key::Other),
    ("SYCL compiler build", Key::Other),
    ("oneCCL version", Key::Other),
    ("Intel Graphics Compiler (IGC)", Key::Other),
    ("Intel GMM (libigdgmm)", Key::Other),
    ("Level Zero loader version", Key::Other),
    ("Level Zero driver version", Key::Other),
    ("vLLM XPU kernels version", Key::Other),
    ("PyTorch CXX11 ABI", Key::Other),
    ("IPEX version", Key::Other),
    ("IPEX commit", Key::Other),
];

/// The headings of vLLM's layout, and what they open.
pub(super) const HEADINGS: [(&str, Option<Key>); 8] = [
    ("System Info", None),
    ("PyTorch Info", None),
    ("Python Environment", None),
    ("CUDA / GPU Info", None),
    ("Intel XPU / GPU Info", None),
    ("CPU Info", Some(Key::Processor)),
    ("Versions of relevant libraries", Some(Key::Libraries)),
    ("vLLM Info", None),
];

/// The heading of vLLM's layout that opens the environment variables.
pub(super) const VARIABLES: &str = "Environment Variables";

impl Key {
    /// Whether its value is a list over several lines.
    pub(super) fn is_list(self) -> bool {
        matches!(
            self,
            Self::Gpus
                | Self::Cudnn
                | Self::IntelDriver
                | Self::IntelOnboard
                | Self::IntelDetected
                | Self::IntelGpus
                | Self::BuildFlags
        )
    }

    /// Whether its name is a single word, which stands in other texts, too.
    pub(super) fn is_short(self) -> bool {
        matches!(self, Self::Os | Self::Processor)
    }
}
