"""The papers behind the data and the method of each question."""

__all__ = ["CITATIONS"]

#: Question to its papers.
CITATIONS = {
    "head_direction": (
        "Viejo G, et al. (2023). Pynapple, a toolbox for data analysis in neuroscience. "
        "eLife 12:RP85786.",
        "Zhang K, et al. (1998). Interpreting neuronal population activity by "
        "reconstruction. J. Neurophysiol. 79:1017-1044.",
        "Skaggs WE, et al. (1993). An information-theoretic approach to deciphering the "
        "hippocampal code. NIPS 5:1030-1037.",
        "Taube JS, et al. (1990). Head-direction cells recorded from the postsubiculum in "
        "freely moving rats. J. Neurosci. 10:420-435.",
    ),
    "resting_network": (
        "Schaefer A, et al. (2018). Local-global parcellation of the human cerebral cortex. "
        "Cerebral Cortex 28:3095-3114.",
        "Lindquist MA, et al. (2019). Modular preprocessing pipelines can reintroduce "
        "artifacts into fMRI data. Hum. Brain Mapp. 40:2358-2376.",
        "Alexander-Bloch AF, et al. (2018). On testing for spatial correspondence between "
        "maps of human brain structure and function. NeuroImage 178:540-551.",
        "Allen EA, et al. (2014). Tracking whole-brain connectivity dynamics in the resting "
        "state. Cerebral Cortex 24:663-676.",
    ),
    "object_category": (
        "Haxby JV, et al. (2001). Distributed and overlapping representations of faces and "
        "objects in ventral temporal cortex. Science 293:2425-2430.",
        "Varoquaux G, et al. (2017). Assessing and tuning brain decoders: cross-validation, "
        "caveats, and guidelines. NeuroImage 145:166-179.",
        "Ledoit O, Wolf M (2004). A well-conditioned estimator for large-dimensional "
        "covariance matrices. J. Multivar. Anal. 88:365-411.",
    ),
    "grip_force": (
        "Merk T, et al. (2022). Electrocorticography is superior to subthalamic local field "
        "potentials for movement decoding in Parkinson's disease. eLife 11:e75126.",
        "Hoerl AE, Kennard RW (1970). Ridge regression. Technometrics 12:55-67.",
    ),
    "evoked_response": (
        "Gramfort A, et al. (2013). MEG and EEG data analysis with MNE-Python. "
        "Front. Neurosci. 7:267.",
        "Blankertz B, et al. (2011). Single-trial analysis and classification of ERP "
        "components: a tutorial. NeuroImage 56:814-825.",
    ),
}
